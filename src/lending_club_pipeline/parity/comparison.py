"""Compare relations of two warehouses: types, and rows as sets; memory stays bounded."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb

from lending_club_pipeline.warehouse.protocol import Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN_ROWS: Final = 3
_MEMORY: Final = "512MiB"
_SIDES: Final = ("left_rows", "right_rows")


@dataclass(frozen=True)
class Comparison:
    """Differences of a relation between two warehouses.

    Attributes:
        name: the relation.
        rows: rows on the left and on the right.
        types: columns whose types differ, with both types; a column that is missing has none.
        only_left: number of rows that are only on the left, and the first of them.
        only_right: the same for the right side.
    """

    name: str
    rows: tuple[int, int]
    types: tuple[tuple[str, str, str], ...]
    only_left: tuple[int, tuple[dict[str, Any], ...]]
    only_right: tuple[int, tuple[dict[str, Any], ...]]

    @property
    def is_equal(self) -> bool:
        """Whether types and rows are the same."""
        return not self.types and not self.only_left[0] and not self.only_right[0]


@dataclass(frozen=True)
class Comparer:
    """Compares relations of two open warehouses.

    Attributes:
        left: a warehouse.
        right: another one.
        scratch: folder for copies of both sides.
        ignored: columns that are not compared, such as load times.
    """

    left: Warehouse
    right: Warehouse
    scratch: Path
    ignored: Sequence[str] = ()

    def compare(self, name: str) -> Comparison:
        """Compare a relation that both warehouses have.

        Raises:
            WarehouseError: one of them has no such relation, or failed.
        """
        with _database(self.scratch / f"{name}.parity") as connection:
            columns = [
                self._copy(connection, warehouse, name, side)
                for warehouse, side in zip((self.left, self.right), _SIDES, strict=True)
            ]
            types = tuple(_differing(*columns))
            rows = tuple(_count(connection, side) for side in _SIDES)
            common = [column for column in columns[0] if column in columns[1]]
            only_left, only_right = (
                _only(connection, common, *sides) for sides in (_SIDES, _SIDES[::-1])
            )
        return Comparison(name, (rows[0], rows[1]), types, only_left, only_right)

    def _copy(
        self, connection: duckdb.DuckDBPyConnection, warehouse: Warehouse, name: str, side: str
    ) -> dict[str, str]:
        """Copy a relation and return its columns and their types."""
        with warehouse.stream(f"select * from {name}") as reader:
            schema = reader.schema
            kept = [field.name for field in schema if field.name not in self.ignored]
            connection.register("incoming", reader)
            connection.execute(f"create table {side} as select {_listed(kept)} from incoming")
            connection.unregister("incoming")
        return {name: _type(schema.field(name).type) for name in kept}


@contextmanager
def _database(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(path), config={"memory_limit": _MEMORY}) as connection:
            yield connection
    finally:
        path.unlink(missing_ok=True)


def _listed(columns: Sequence[str]) -> str:
    return ", ".join('"' + column.replace('"', '""') + '"' for column in columns)


def _type(type_: "pa.DataType") -> str:
    """Name an Arrow type, ignoring the length of offsets and the names of items."""
    import pyarrow.types as kinds  # noqa: PLC0415 - takes 0.1 s to import

    if kinds.is_list(type_) or kinds.is_large_list(type_):
        return f"list<{_type(type_.value_type)}>"
    return str(type_).removeprefix("large_")


def _differing(left: dict[str, str], right: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    for column in dict.fromkeys((*left, *right)):
        types = left.get(column, ""), right.get(column, "")
        if types[0] != types[1]:
            yield column, *types


def _count(connection: duckdb.DuckDBPyConnection, side: str) -> int:
    row = connection.execute(f"select count(*) from {side}").fetchone()
    return 0 if row is None else int(row[0])


def _only(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str], here: str, there: str
) -> tuple[int, tuple[dict[str, Any], ...]]:
    """Return how many rows are only in `here`, counted as often as they occur, and the first."""
    if not columns:
        return 0, ()
    listed = _listed(columns)
    connection.execute(
        "create or replace temp table differing as "
        f"select {listed} from {here} except all select {listed} from {there}"
    )
    cursor = connection.execute(f"from differing order by all limit {_SHOWN_ROWS}")
    names = [column[0] for column in cursor.description or ()]
    first = tuple(dict(zip(names, row, strict=True)) for row in cursor.fetchall())
    return _count(connection, "differing"), first
