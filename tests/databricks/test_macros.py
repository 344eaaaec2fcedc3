"""Each macro in which the engines differ says the same on both, and what the model says."""

import re
from collections import Counter
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from databricks.sql.exc import ServerOperationError

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.seeds import project_dir
from tests.databricks.macro_cases import CASES, REPLACE_DAY
from tests.databricks.macro_engines import (
    AMOUNTS,
    DAY,
    KEYS,
    OTHER_DAY,
    TEXTS,
    Engines,
    code_points,
    in_order,
    macros_on_both,
)
from tests.dirt import WHITE_SPACE
from tests.oracle import cleaning, processing


@pytest.fixture(scope="module")
def engines(
    shared_warehouse: WarehouseClient,
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Engines]:
    """The tables on both engines, and the cases compiled by dbt."""
    points = code_points(is_exhaustive=bool(pytestconfig.getoption("exhaustive")))
    with macros_on_both(shared_warehouse, tmp_path_factory.mktemp("macros"), points) as engines:
        yield engines


def test_every_dispatched_macro_has_a_case() -> None:
    folder = project_dir() / "macros" / "cross_db"
    dispatched = {
        name
        for path in folder.glob("*.sql")
        for name in re.findall(r"adapter\.dispatch\('(\w+)'\)", path.read_text())
    }
    used = {
        name for sql in (*CASES.values(), REPLACE_DAY) for name in re.findall(r"\b\w+(?=\()", sql)
    }

    assert len(dispatched) >= 12
    assert dispatched - used - PROVEN_WITH_OTHERS == set()


# The first is what incremental strategies are made of; the second has a unit test of dbt for its
# rules, and the parity suite compares the mart that is made of it. The third leaves other texts to
# another macro on each engine: together they read every text alike as a field of an account. The
# next four say which records of a delivery are parsed and compared: test_interrupted_runs.py
# compares the base models of both engines that are made of them, and DuckDB's have unit tests of
# dbt. The last two only save time: both engines' outputs are compared there, too.
PROVEN_WITH_OTHERS = {
    "replace_rows",
    "walk_deliveries",
    "parse_plain_whole_number",
    "records_to_judge",
    "judged_and_landed",
    "judged_or_plain",
    "cleaned_and_not_plain",
    "keys_grow",
    "in_output_order",
}


def test_whole_numbers_are_divided_and_days_counted_alike(engines: Engines) -> None:
    rows = engines.both("whole_numbers")

    assert len(rows) > 2
    assert {row[2] for row in rows} == {29}


def test_white_space_is_unicodes_25_code_points(engines: Engines) -> None:
    ((characters,),) = engines.both("characters")

    assert sorted(characters) == sorted(WHITE_SPACE)
    assert len(characters) == 25


def test_every_code_point_is_trimmed_collapsed_lowered_and_quoted_alike(engines: Engines) -> None:
    found = {row[0]: row[1:] for row in engines.both("code_points")}

    expected = {it: said for it in engines.points if any(said := _of_code_point(chr(it)))}
    differing = {
        f"U+{it:04X}": (found.get(it), expected.get(it))
        for it in found.keys() | expected.keys()
        if found.get(it) != expected.get(it)
    }
    assert differing == {}


def _of_code_point(letter: str) -> tuple[str | None, str | None, bool, bool, bool, str | None]:
    padded = f"{letter}-{letter}"
    is_space = letter in cleaning.WHITE_SPACE
    lowered = padded.replace(letter, cleaning._lower(letter))
    return (
        "-" if is_space else None,
        " - " if is_space and letter != " " else None,
        is_space,
        letter in ',"#\r\n',
        letter in "0123456789abcdef",
        lowered if lowered != padded else None,
    )


def test_every_text_is_trimmed_collapsed_lowered_and_quoted_alike(engines: Engines) -> None:
    assert [row[1:] for row in engines.both("texts")] == [_of_text(text) for text in TEXTS]


def _of_text(text: str) -> tuple[Any, ...]:
    collapsed = re.sub(f"[{''.join(WHITE_SPACE)}]+", " ", text)
    quoted = processing._quoted(text)
    return (
        cleaning.strip(text),
        collapsed,
        text == "" or collapsed != text or text[:1] == " " or text[-1:] == " ",
        "".join(map(cleaning._lower, text)),
        cleaning.lower_ascii(text),
        any(it in text for it in ',"#\r\n'),
        f"{quoted},x,{quoted}",
    )


def test_every_text_is_read_alike_as_each_field_of_a_customer(engines: Engines) -> None:
    for row, text in zip(engines.both("customers"), TEXTS, strict=True):
        customer_id = cleaning.customer_id(text)
        assert row[1:] == (
            customer_id.value,
            ";".join(customer_id.reasons) or None,
            cleaning.name(text).value,
            cleaning.has_loan(text).value,
        ), repr(text)


def test_every_text_is_read_alike_as_each_field_of_an_account(engines: Engines) -> None:
    for row, text in zip(engines.both("accounts"), TEXTS, strict=True):
        balance = cleaning.balance(text)
        assert row[1:] == (
            cleaning.strip(text),
            cleaning.customer_id(text).value,
            balance.value,
            ";".join(sorted(balance.reasons)) or None,
            cleaning.account_type(text).value,
        ), repr(text)


@pytest.mark.parametrize("engine", ["duckdb", "databricks"])
def test_money_and_numbers_have_the_types_of_the_model(engines: Engines, engine: str) -> None:
    types, _ = engines.ask(engine, engines.compiled[engine]["accounts"])
    assert types["balance"] == "decimal128(18, 2)"
    assert types["customer_id"] == "int64"
    types, _ = engines.ask(engine, engines.compiled[engine]["interest"])
    assert types["interest"] == types["new_balance"] == "decimal128(18, 2)"


def test_a_pattern_matches_a_whole_text(engines: Engines) -> None:
    patterns = ("a", "a|ab", "", "a[$]?", "[^a]*")

    assert [row[1:] for row in engines.both("patterns")] == [
        tuple(re.fullmatch(pattern, text) is not None for pattern in patterns) for text in TEXTS
    ]


def test_equal_columns_have_equal_hashes(engines: Engines) -> None:
    # A text is joined with itself alone.
    assert engines.both("hashes") == [(len(TEXTS), len(TEXTS))]


def test_records_with_repeated_keys_are_found(engines: Engines) -> None:
    often = {key for key, times in Counter(KEYS).items() if times > 1 and key[1] != ""}

    assert engines.both("records_with_repeated_keys") == sorted(
        (key[0], number) for number, key in enumerate(KEYS) if key in often
    )


def test_repeated_hashes_are_counted_once(engines: Engines) -> None:
    often = [key for key, times in Counter(KEYS).items() if times > 1]

    assert engines.both("repeated_hashes") == [(len(often),)]
    assert engines.both("repeated_hashes_of_some") == [(sum(word != "" for _, word in often),)]


def test_interest_is_exact_and_rounded_half_up(engines: Engines) -> None:
    def interest(balance: Decimal, rate: Decimal) -> Decimal:
        return (balance * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)

    assert engines.both("interest") == [
        (number, interest(*amount), amount[0] + interest(*amount))
        for number, amount in enumerate(AMOUNTS)
    ]


@pytest.mark.parametrize(
    ("setting", "on", "off", "value"),
    [
        (
            *("disabled_compression_methods", "plainly", "as_usual"),
            {"dict_fsst", "fsst", "dictionary", "rle", "zstd", "roaring", "alp", "alprd"},
        ),
        (
            *("disabled_optimizers", "as_written", "as_estimated"),
            {"join_order", "build_side_probe_side"},
        ),
    ],
)
def test_duckdb_is_told_what_it_has_a_choice_of_and_told_otherwise_again(
    engines: Engines, setting: str, on: str, off: str, value: set[str]
) -> None:
    def current() -> set[str]:
        query = f"select lower(current_setting('{setting}'))"
        return set(engines.ask("duckdb", query)[1][0][0].split(","))

    def statement(engine: str, case: str) -> str:
        return str(engines.ask(engine, engines.compiled[engine][case])[1][0][0])

    engines.run("duckdb", statement("duckdb", on))
    assert current() == value
    engines.run("duckdb", statement("duckdb", off))
    assert current() == {""}
    assert statement("databricks", on) == statement("databricks", off) == ""


@pytest.mark.parametrize("engine", ["duckdb", "databricks"])
def test_a_day_is_replaced_by_what_came_even_if_that_is_nothing(
    engines: Engines, engine: str
) -> None:
    def days() -> list[tuple[Any, ...]]:
        return in_order(engines.ask(engine, "select as_of_date, word from days")[1])

    other = (OTHER_DAY, "z")
    engines.run(engine, engines.compiled[engine]["replace_by_some"])
    assert days() == [other, (DAY, "new"), (DAY, "new")]
    engines.run(engine, engines.compiled[engine]["replace_by_none"])
    assert days() == [other]


def test_a_query_with_another_type_than_its_contract_says_inserts_nothing(
    engines: Engines,
) -> None:
    kept, broken = (
        f"insert into days by name {engines.compiled['databricks'][case]}"
        for case in ("contract_kept", "contract_with_another_type")
    )
    rows = "select count(*) from days"
    (before,) = engines.ask("databricks", rows)[1][0]
    engines.run("databricks", kept)

    with pytest.raises(ServerOperationError) as caught:
        engines.run("databricks", broken)

    assert "The contract of contract_with_another_type: word is no string" in str(caught.value)
    assert engines.ask("databricks", rows)[1] == [(before + 2,)]


@pytest.mark.parametrize(
    ("columns", "said"),
    [("without_a_column", "UNRESOLVED_COLUMN"), ("with_another_column", "METADATA_MISMATCH")],
)
def test_a_query_with_other_columns_than_its_contract_inserts_nothing(
    engines: Engines, columns: str, said: str
) -> None:
    query = engines.compiled["databricks"][f"contract_{columns}"]

    with pytest.raises(ServerOperationError, match=said):
        engines.run("databricks", f"insert into days by name {query}")


def test_a_view_is_another_one_if_it_is_described_otherwise(engines: Engines) -> None:
    compiled = engines.compiled["databricks"]
    texts = [compiled[case].split() for case in ("view_described", "view_described_otherwise")]

    assert [text[:-1] for text in texts] == [
        ["select", "*", "from", "(", "select", "word", "from", "days", ")", "as"]
    ] * 2
    assert texts[0][-1] != texts[1][-1]
    # dbt-databricks takes white space around a query away.
    assert compiled["view_of_another_indentation"].split() == texts[0]
