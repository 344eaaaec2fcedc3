"""Publish the mart to the table for readers: one atomic step, verified, restored if it differs.

Statements follow https://docs.databricks.com/aws/en/sql/language-manual/ (INSERT OVERWRITE,
DESCRIBE HISTORY, RESTORE, GRANT); for retention see
https://docs.databricks.com/aws/en/delta/history.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lending_club_pipeline.contract.errors import OutputError, WarehouseError
from lending_club_pipeline.contract.tables import ExpectedTable
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.catalog import Catalog
from lending_club_pipeline.warehouse.databricks.leases import Lease
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, quoted, text
from lending_club_pipeline.warehouse.serving import Fingerprint, ServingColumn, ServingVersion

_COMMENT: Final = (
    "Interest of every savings account of the newest delivery whose ledger closes. Replaced as a "
    "whole by each run, verified against the mart; earlier versions stay readable."
)


@dataclass(frozen=True)
class ServingTable:
    """The table that readers use.

    Attributes:
        session: an open session.
        catalog: the tables of the schema of the serving table.
        mart: qualified name of the mart.
        name: qualified name of the serving table.
        readers: users, groups or principals who may read it.
        history_days: days for which old versions can be read.
        lease: the lease of the run, if there is one.
    """

    session: StatementSession
    catalog: Catalog
    mart: tuple[str, str, str]
    name: tuple[str, str, str]
    readers: tuple[str, ...]
    history_days: int
    lease: Lease | None = None

    def publish(
        self, columns: Sequence[ServingColumn], rows: int, balance: Decimal
    ) -> ServingVersion:
        """Replace the readers' table by the mart; see `Serving.publish`."""
        self._prepare(columns)
        before = self._version()
        names = ", ".join(column.name for column in columns)
        self._overwrite(names)
        mart, served = self._fingerprints(columns)
        if mart != served or (rows, balance) != (served.row_count, served.original_balance):
            self.session.run(f"restore table {self._quoted} to version as of {before}")
            raise OutputError(
                f"{'.'.join(self.name)}: readers would have seen {served}, but the mart holds "
                f"{mart}, and the ledger says {rows} accounts with {balance}. Version {before} is "
                "restored; look for another writer of this table, and run again."
            )
        self._grant()
        return ServingVersion(".".join(self.name), self._version(), before, served, self.readers)

    def _overwrite(self, names: str) -> None:
        """Replace the table; the statement fails if another run has taken the schema."""
        statement = (
            f"insert overwrite {self._quoted} ({names}) select {names} from {quoted(*self.mart)}"
        )
        if self.lease is None:
            self.session.run(statement)
            return
        try:
            self.session.run(f"{statement} cross join {self.lease.condition} where held is null")
        except WarehouseError as error:
            if errors.condition_in(error).startswith("USER_RAISED_EXCEPTION"):
                raise self.lease.lost() from error
            raise

    @property
    def _quoted(self) -> str:
        return quoted(*self.name)

    def _prepare(self, columns: Sequence[ServingColumn]) -> None:
        """Make the table if it is missing, and keep its history as long as the settings say.

        Raises:
            WarehouseError: the table that is there is not as this project makes it.
        """
        types = {column.name: column.type for column in columns}
        name, wanted = self.name[2].lower(), self._retention()
        self.catalog.check([ExpectedTable(name, types)])
        if not self.catalog.has(name):
            declared = ", ".join(
                f"{column.name} {column.type} not null comment {text(column.comment)}"
                for column in columns
            )
            self.session.run(
                f"create table if not exists {self._quoted} ({declared}) using delta cluster by "
                f"(account_id) comment {text(_COMMENT)} tblproperties ({_listed(wanted)})"
            )
            self.catalog.add([name])
            return
        found = self.session.fetch(f"show tblproperties {self._quoted}")
        known = {row["key"]: row["value"] for row in found}
        if any(known.get(name) != value for name, value in wanted.items()):
            self.session.run(f"alter table {self._quoted} set tblproperties ({_listed(wanted)})")

    def _retention(self) -> dict[str, str]:
        interval = f"interval {self.history_days} days"
        return {
            "delta.deletedFileRetentionDuration": interval,
            "delta.logRetentionDuration": interval,
        }

    def _version(self) -> int:
        """Return the version that readers see now."""
        versions = self.session.fetch_column(f"describe history {self._quoted} limit 1", "version")
        return int(versions[0])

    def _fingerprints(self, columns: Sequence[ServingColumn]) -> tuple[Fingerprint, Fingerprint]:
        """Read the fingerprints of mart and serving table, in one statement."""
        names = ", ".join(column.name for column in columns)
        queries = (
            f"select {place} as place, count(*) as row_count, "
            "coalesce(sum(original_balance), 0) as original_balance, "
            "coalesce(sum(new_balance), 0) as new_balance, "
            f"coalesce(sum(cast(xxhash64({names}) as decimal(38, 0))), 0) as checksum from {table}"
            for place, table in enumerate((quoted(*self.mart), self._quoted))
        )
        rows = self.session.fetch(" union all ".join(queries))
        by_place = {
            row["place"]: Fingerprint(
                row["row_count"], row["original_balance"], row["new_balance"], int(row["checksum"])
            )
            for row in rows
        }
        return by_place[0], by_place[1]

    def _grant(self) -> None:
        for reader in self.readers:
            principal = reader.replace("`", "``")
            self.session.run(f"grant select on table {self._quoted} to `{principal}`")


def _listed(properties: dict[str, str]) -> str:
    return ", ".join(f"{text(name)} = {text(value)}" for name, value in properties.items())
