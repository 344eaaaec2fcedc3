"""Small tables with rows by business date, which the pipeline itself writes on each engine.

All rows of a date are written at once. So a statement may be sent twice, and a killed run leaves
either the old rows or the new rows.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

KEY: Final = "as_of_date"


@dataclass(frozen=True)
class DayTable:
    """A table whose rows belong to business dates.

    Attributes:
        name: its name, in the schema of the marts.
        columns: type by column name, beside `as_of_date`: string, date, timestamp (UTC, without a
            zone), bigint or boolean.
        comment: its content, in words.
    """

    name: str
    columns: Mapping[str, str]
    comment: str

    def types(self, timestamp: str) -> dict[str, str]:
        """Return the type of every column.

        Args:
            timestamp: the engine's type of a time without a time zone.
        """
        named = {KEY: "date", **self.columns}
        return {name: timestamp if it == "timestamp" else it for name, it in named.items()}

    def creation(self, relation: str, timestamp: str) -> str:
        """Return the statement that makes a missing table, without options of the engine.

        Args:
            relation: its qualified name.
            timestamp: the engine's type of a time without a time zone.
        """
        columns = ", ".join(f"{name} {type_}" for name, type_ in self.types(timestamp).items())
        return f"create table if not exists {relation} ({columns})"

    def values(
        self, rows: Sequence[Mapping[str, Any]], timestamp: str, literal: Callable[[object], str]
    ) -> str:
        """Return the query of some rows, columns named and typed.

        Args:
            rows: at least one.
            timestamp: the engine's type of a time without a time zone.
            literal: writes a value as a text literal of the engine.
        """
        types = self.types(timestamp)

        def cell(value: object) -> str:
            return "null" if value is None else literal(_written(value))

        lines = ", ".join(f"({', '.join(cell(row[name]) for name in types)})" for row in rows)
        casts = ", ".join(f"cast({name} as {type_}) as {name}" for name, type_ in types.items())
        return f"select {casts} from (values {lines}) as given ({', '.join(types)})"


def dates_listed(dates: Sequence[dt.date]) -> str:
    """Return dates as a list of literals that both engines read."""
    return ", ".join(f"date '{date.isoformat()}'" for date in sorted(set(dates)))


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat(" ") if isinstance(value, dt.datetime) else str(value)
