"""What must be true of a history of deliveries and runs: a model in plain Python.

It knows what lies in the inputs, what was processed of each date, and, where a run was killed,
which states are possible until a run of that date has ended. What a delivery is worth comes from
the oracle, which shares nothing with the pipeline.
"""

import datetime as dt
import functools
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from tests.oracle import DEFAULT, Outcome, process, timelines
from tests.workspaces import ACCOUNT_HEADER, CUSTOMER_HEADER, Workspace

CUSTOMERS = "1,Ada,Yes\n2,Grace,No\n3,,maybe\n"
# Each differs from the others in rows, in cents, and in what is not used.
VARIANTS = (
    "A,1,100,Savings\nB,2,20000.01,Savings\n",
    "A,1,300.55,Savings\nC,2,7,Checking\nD,9,1,Savings\n",
    "B,2,0.50,Savings\nE,1,x,Savings\nE,1\nF,3,5,Savings\nG,1,9999.99,Savings\n",
    "A,1,100,Checking\nH,2,,Savings\n",
)
BROKEN = "a;b\n1;2\n"


@functools.cache
def worth(variant: int, day: dt.date) -> Outcome:
    """What the oracle makes of a delivery."""
    outcome = process(
        (CUSTOMER_HEADER + CUSTOMERS).encode(), (ACCOUNT_HEADER + VARIANTS[variant]).encode(), day
    )
    assert isinstance(outcome, Outcome)
    return outcome


@dataclass
class History:
    """What was delivered and what may have become of it.

    Attributes:
        delivered: by date, the variant that lies in the inputs; None for a broken delivery.
        possible: by date, the variants that the database may hold; None among them for none.
        published: date and variant that the outputs may show; None for no outputs.
    """

    delivered: dict[dt.date, int | None] = field(default_factory=dict)
    possible: dict[dt.date, set[int | None]] = field(default_factory=dict)
    published: set[tuple[dt.date, int] | None] = field(default_factory=lambda: {None})

    def within(self, first: dt.date, last: dt.date) -> list[dt.date]:
        """Dates of a range that have a delivery, oldest first."""
        return sorted(day for day in self.delivered if first <= day <= last)

    def is_certain(self, days: Sequence[dt.date]) -> bool:
        """Whether all dates are processed as they were delivered."""
        return all(self.possible.get(day) == {self.delivered[day]} for day in days)

    def processed(self, days: Sequence[dt.date], *, is_forced: bool) -> None:
        """A run of these dates has come to its end."""
        accepted = [day for day in days if self.delivered[day] is not None]
        todo = [day for day in accepted if is_forced or not self.is_certain([day])]
        for day in todo:
            self.possible[day] = {self.delivered[day]}
        if todo:
            self.published = set(self._newest())

    def killed(self, days: Sequence[dt.date]) -> None:
        """A run of these dates ended somewhere on its way."""
        for day in days:
            if self.delivered[day] is not None:
                self.possible.setdefault(day, {None}).add(self.delivered[day])
        self.published |= set(self._newest())

    @property
    def known(self) -> dict[dt.date, int] | None:
        """By date, the variant that the database holds; None if a kill left that uncertain."""
        if any(len(possible) > 1 for possible in self.possible.values()):
            return None
        return {day: it for day, (it,) in self.possible.items() if it is not None}

    def _newest(self) -> Iterator[tuple[dt.date, int] | None]:
        """What a run may publish now: the newest date, and an older one if that is uncertain."""
        for day in sorted(self.possible, reverse=True):
            yield from ((day, it) for it in self.possible[day] if it is not None)
            if None not in self.possible[day]:
                return
        yield None


def differences(history: History, workspace: Workspace) -> Iterator[str]:
    """Tell where the pipeline's state is none that the history allows."""
    outputs = workspace.output_bytes()
    allowed = [worth(it[1], it[0]) for it in history.published if it is not None]
    for name, of in (
        ("account_summary.csv", "account_summary_csv"),
        ("quarantine.csv", "quarantine_csv"),
    ):
        whole = [getattr(it, of) for it in allowed]
        if outputs.get(name) not in [*whole, *([None] if None in history.published else [])]:
            yield f"{name} is not that of {history.published}: {outputs.get(name)!r}"
    if len(history.published) == 1 and outputs and _parquet(outputs) != _lines(allowed[0]):
        yield "account_summary.parquet and account_summary.csv differ"
    yield from _wrong_days(history, workspace.database)
    if history.known:
        yield from _wrong_timelines(history.known, workspace.database)


def _parquet(outputs: dict[str, bytes]) -> list[str]:
    table = pq.read_table(io.BytesIO(outputs["account_summary.parquet"]))
    return [",".join(str(value) for value in row.values()) for row in table.to_pylist()]


def _lines(outcome: Outcome) -> list[str]:
    return outcome.account_summary_csv.decode().splitlines()[1:]


def _wrong_days(history: History, database: Path) -> Iterator[str]:
    if not database.exists():
        if any(None not in possible for possible in history.possible.values()):
            yield "there is no database"
        return
    daily = _by_date(database, "account_summary_daily", _daily_line)
    ledgers = _by_date(database, "delivery_ledger", tuple)
    for day in sorted({*history.possible, *daily, *ledgers}):
        possible = history.possible.get(day, {None})
        known = [worth(it, day) for it in possible if it is not None]
        if sorted(daily.get(day, [])) not in [
            *(sorted(_lines(it)) for it in known),
            *([[]] if None in possible else []),
        ]:
            yield f"account_summary_daily of {day} is none of {possible}: {daily.get(day)}"
        if not all(line[-1] for line in ledgers.get(day, [])):
            yield f"the ledger of {day} does not close"
        found = {(line[1], line[2]): _counts(line) for line in ledgers.get(day, [])}
        if found not in [*(it.ledger for it in known), *([{}] if None in possible else [])]:
            yield f"the ledger of {day} is none of {possible}: {found}"


def _wrong_timelines(known: dict[dt.date, int], database: Path) -> Iterator[str]:
    """Tell which of the models that several days make together are not those of the oracle."""
    deliveries = {day: worth(variant, day) for day, variant in known.items()}
    expected = {
        "account_history": timelines.account_history(deliveries),
        "customer_history": timelines.customer_history(deliveries),
        "delivery_changes": timelines.delivery_changes(deliveries, DEFAULT),
        "customer_profile": timelines.customer_profile(deliveries, DEFAULT),
    }
    with duckdb.connect(str(database), read_only=True) as connection:
        for model, rows in expected.items():
            found = connection.execute(f"from {model}").fetchall()
            if len(found) != len(rows) or set(found) != rows:
                yield f"{model} of {known} has {set(found) - rows}, but not {rows - set(found)}"


def _counts(line: Sequence[Any]) -> tuple[int, int | None, int | None]:
    rows, balance, unknown = line[3:6]
    return rows, None if balance is None else int(Decimal(balance) * 100), unknown


def _daily_line(row: Sequence[Any]) -> str:
    return ",".join(str(value) for value in row[1:])


def _by_date(database: Path, table: str, as_line: Any) -> dict[dt.date, list[Any]]:
    days: dict[dt.date, list[Any]] = {}
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        if (table,) not in names:
            return {}
        for row in connection.execute(f"from {table}").fetchall():
            days.setdefault(row[0], []).append(as_line(row))
    return days
