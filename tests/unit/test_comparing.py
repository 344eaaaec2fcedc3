"""What the comparison of two warehouses notices: two embedded ones that differ on purpose."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from lending_club_pipeline.parity.comparison import Comparer, Comparison, _type
from lending_club_pipeline.warehouse.duckdb import DuckDBWarehouse

Compare = Callable[[str, str], Comparison]


@pytest.fixture
def compare(tmp_path: Path) -> Compare:
    """Compare the results of two queries, as tables of the same name of two warehouses."""

    def made(left: str, right: str) -> Comparison:
        warehouses = []
        for name, query in (("left", left), ("right", right)):
            warehouse = DuckDBWarehouse(tmp_path / f"{name}.duckdb", 2**28)
            with warehouse.session(), warehouse.cursor() as cursor:
                cursor.execute(f"create or replace table rows as {query}")
            warehouses.append(warehouse)
        with warehouses[0].session(read_only=True), warehouses[1].session(read_only=True):
            return Comparer(*warehouses, tmp_path, ("loaded_at",)).compare("rows")

    return made


def test_the_order_of_rows_and_columns_is_no_difference(compare: Compare) -> None:
    found = compare(
        "select 1 as id, 'a' as word union all select 2, null",
        "select null as word, 2 as id union all select 'a', 1",
    )

    assert found == Comparison("rows", (2, 2), (), (0, ()), (0, ()))
    assert found.is_equal


def test_a_row_that_differs_is_shown_from_both_sides(compare: Compare) -> None:
    found = compare(
        "select range as id, 1.00 as balance from range(5)",
        "select range as id, if(range = 3, 1.01, 1.00) as balance from range(5)",
    )

    assert not found.is_equal
    assert found.rows == (5, 5)
    assert found.only_left == (1, ({"id": 3, "balance": Decimal("1.00")},))
    assert found.only_right == (1, ({"id": 3, "balance": Decimal("1.01")},))


def test_all_rows_that_differ_are_counted_and_the_first_are_shown(compare: Compare) -> None:
    found = compare("select range as id from range(1000)", "select range as id from range(0)")

    assert found.rows == (1000, 0)
    assert found.only_left == (1000, ({"id": 0}, {"id": 1}, {"id": 2}))
    assert found.only_right == (0, ())


def test_a_row_that_is_there_once_more_is_a_difference(compare: Compare) -> None:
    found = compare("select 1 as id", "select 1 as id union all select 1")

    assert found.only_left == (0, ())
    assert found.only_right == (1, ({"id": 1},))


@pytest.mark.parametrize(
    ("left", "right", "types"),
    [
        ("1::integer", "1::bigint", ("int32", "int64")),
        ("1::decimal(18, 2)", "1::decimal(18, 4)", ("decimal128(18, 2)", "decimal128(18, 4)")),
        ("1::decimal(18, 2)", "1::decimal(20, 2)", ("decimal128(18, 2)", "decimal128(20, 2)")),
        ("1::decimal(4, 2)", "1::double", ("decimal128(4, 2)", "double")),
    ],
)
def test_another_type_precision_or_scale_is_a_difference_of_equal_values(
    compare: Compare, left: str, right: str, types: tuple[str, str]
) -> None:
    found = compare(f"select {left} as it", f"select {right} as it")

    assert found.types == (("it", *types),)
    assert not found.is_equal


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("null", "''"),
        ("'é'", "'e\u0301'"),
        ("'a'", "'a '"),
        ("'a'", "'A'"),
        ("'a'", "'a\u200b'"),
        ("'a'", "'a' || chr(0)"),
    ],
)
def test_texts_are_compared_by_their_bytes(compare: Compare, left: str, right: str) -> None:
    found = compare(f"select {left}::varchar as it", f"select {right}::varchar as it")

    assert (found.only_left[0], found.only_right[0]) == (1, 1)


def test_a_column_that_is_missing_is_a_difference(compare: Compare) -> None:
    found = compare("select 1 as id, 2 as more", "select 1 as id")

    assert found.types == (("more", "int32", ""),)
    assert not found.is_equal


def test_tables_without_a_common_column_differ(compare: Compare) -> None:
    found = compare("select 1 as id", "select 1 as other")

    assert found.types == (("id", "int32", ""), ("other", "", "int32"))
    assert not found.is_equal


def test_when_something_was_loaded_is_no_difference(compare: Compare) -> None:
    assert compare("select 1 as id, 1 as loaded_at", "select 1 as id, 'x' as loaded_at").is_equal


def test_how_an_engine_calls_the_items_of_a_list_is_no_difference() -> None:
    ours, theirs = (pa.list_(pa.field(name, pa.large_string())) for name in ("l", "element"))

    assert _type(ours) == _type(theirs) == "list<string>"
    assert _type(pa.list_(pa.int64())) != _type(ours)


def test_nothing_is_left_of_the_copies(compare: Compare, tmp_path: Path) -> None:
    compare("select 1 as id", "select 2 as id")

    assert list(tmp_path.glob("*.parity*")) == []
