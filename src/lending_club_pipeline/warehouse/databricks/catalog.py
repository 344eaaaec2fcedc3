"""Tables of a schema with their columns and owners: one query of Unity Catalog.

See https://docs.databricks.com/aws/en/sql/language-manual/information-schema/columns.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from lending_club_pipeline.contract.errors import WarehouseError
from lending_club_pipeline.contract.tables import ExpectedTable, Table, describe_differences
from lending_club_pipeline.warehouse.databricks.leases import TABLE as LEASE
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, quoted, text

_TABLES: Final = frozenset({"MANAGED", "EXTERNAL", "BASE TABLE"})
_SAME_TYPES: Final = {"int": "integer", "long": "bigint", "dec": "decimal", "numeric": "decimal"}
_NAME_OF_TYPE: Final = re.compile(r"^\w+")


class Catalog:
    """The tables of one schema, as they were at the first query.

    Args:
        session: an open session.
        catalog: Unity Catalog catalog.
        schema: schema in it.
    """

    def __init__(self, session: StatementSession, catalog: str, schema: str) -> None:
        self._session, self._catalog, self._schema = session, catalog, schema
        self._tables: dict[str, Table] | None = None
        self._made: set[str] = set()
        self._owners: set[str] = set()

    @property
    def tables(self) -> Mapping[str, Table]:
        """The tables by name; none if the schema does not exist yet.

        Raises:
            WarehouseError: the statement failed.
        """
        if self._tables is None:
            self._tables = {}
            for row in self._session.fetch(self._query()):
                name = row["table_name"].lower()
                known = self._tables.setdefault(name, Table(name, {}, _kind(row), row["owner"]))
                known.columns[row["column_name"]] = plain_type(row["full_data_type"])
                self._owners.add(row["principal"])
            if LEASE in self._tables:
                # The owner of that table made the others; perhaps they were given to a group since.
                self._owners.add(self._tables[LEASE].owner)
        return self._tables

    def add(self, names: Iterable[str]) -> None:
        """Add tables that were made since, without another query."""
        self._made.update(names)

    def has(self, name: str) -> bool:
        """Whether a table exists.

        Raises:
            WarehouseError: the statement failed.
        """
        return name in self._made or name in self.tables

    def _query(self) -> str:
        views = f"{quoted(self._catalog)}.information_schema"
        return (
            "select tables.table_name, tables.table_type, tables.data_source_format, "
            "tables.table_owner as owner, columns.column_name, columns.full_data_type, "
            f"current_user() as principal from {views}.tables as tables "
            f"inner join {views}.columns as columns "
            "on tables.table_schema = columns.table_schema "
            "and tables.table_name = columns.table_name "
            f"where tables.table_schema = {text(self._schema.lower())} "
            f"and columns.table_schema = {text(self._schema.lower())}"
        )

    def check(self, expected: Iterable[ExpectedTable]) -> None:
        """Check that existing tables are as this project makes them.

        Raises:
            WarehouseError: a table differs; the text names table, difference and remedy.
        """
        for table in expected:
            found = None if table.name in self._made else self.tables.get(table.name)
            problem = None if found is None else self._problem(table, found)
            if problem is not None:
                raise WarehouseError(f"{self._session.address}: {problem}.")

    def _problem(self, expected: ExpectedTable, found: Table) -> str | None:
        types = {type_: plain_type(type_) for type_ in expected.columns.values()}
        described = describe_differences(expected, types, found)
        if described is None and found.owner not in self._owners:
            return (
                f"the table {expected.name} belongs to {found.owner}, unlike the others of this "
                "pipeline: did another program make it? Nothing was written. Keep it under another "
                "name, or, if it is ours, let its owner or an administrator run: alter table "
                f"{quoted(self._catalog, self._schema, expected.name)} owner to "
                f"`{min(self._owners)}`"
            )
        return described


def _kind(row: Mapping[str, Any]) -> str:
    kind, file_format = str(row["table_type"]).upper(), str(row["data_source_format"]).upper()
    if kind not in _TABLES:
        return f"not a table but a {kind.lower().replace('_', ' ')}"
    return "" if file_format == "DELTA" else f"of the format {file_format}, not DELTA"


def plain_type(written: str) -> str:
    """Return a type of Spark in a uniform spelling."""
    plain = "".join(written.lower().split())
    return _NAME_OF_TYPE.sub(lambda name: _SAME_TYPES.get(name[0], name[0]), plain)
