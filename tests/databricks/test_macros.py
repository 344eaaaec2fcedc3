"""Each macro in which the engines differ says the same on both, and what the model says."""

import datetime as dt
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lending_club_pipeline.transformation.manifests import project_arguments
from lending_club_pipeline.transformation.projects import project_dir
from tests import strategies
from tests.databricks.conftest import WarehouseClient
from tests.databricks.macro_cases import CASES, REPLACE_DAY
from tests.databricks.parity_deliveries import BOUNDARIES, HALF_CENTS
from tests.oracle import cleaning, processing

DAY, OTHER_DAY = dt.date(2026, 3, 31), dt.date(2026, 3, 30)
_PROJECT = """
name: lending_club
version: 0.1.0
profile: lending_club
vars: {as_of_date: '2026-03-31'}
flags: {send_anonymous_usage_stats: false}
"""
_SOURCES = """
sources:
  - name: lending_club
    schema: "{{ target.schema }}"
    tables: [{name: customers_raw}, {name: accounts_raw}, {name: delivered_files}]
"""
# What an engine answered: type by column, and rows.
Answer = tuple[dict[str, str], list[tuple[Any, ...]]]


def _texts() -> list[str]:
    some = (
        *("", "a", "a\n", "\na", "ab", "aab", "a$", "a$\n", "b", "\n", "\r\n", "a|ab", "\\", "'"),
        *(
            f"{it}{middle}{it}"
            for it in (*strategies.WHITE_SPACE, *strategies.INVISIBLE)
            for middle in ("", "x", f"x{it}y", f"x{it}{it}y", "x y")
        ),
        *("\u03a3", "A\u03a3", "A\u03a3 B", "A\u03a3\u0301", "\u0130", "I\u0307", "\u0130\u0307"),
    )
    known = (
        *(strategies.CUSTOMER_IDS, strategies.NAMES, strategies.LOANS, strategies.ACCOUNT_IDS),
        *(strategies.ACCOUNT_TYPES, strategies.BALANCES),
        *(strategies.padded(("12", "yes", "Savings", "1.50", "Ada"))[at::5] for at in range(5)),
    )
    return list(dict.fromkeys([*some, *(text for texts in known for text in texts)]))


TEXTS = _texts()
_WORDS = ("a", "A", "a ", "a\u200b", "b", "b", "b", "c", "c", "", "", "e\u0301", "\u00e9")
KEYS = [
    *(((DAY, word)) for word in _WORDS),
    *((OTHER_DAY, word) for word in ("a", "d", "d", "")),
]
AMOUNTS = list(
    product(
        [Decimal(it) for it in (*BOUNDARIES, *HALF_CENTS, "0.01", "12345678901234.56")],
        [Decimal(it) for it in ("0.0000", "0.0001", "0.0100", "0.0150", "0.0200", "0.0250")],
    )
)
CODE_POINTS = [it for it in range(0x110000) if not 0xD800 <= it <= 0xDFFF]


def _tables() -> Iterator[tuple[str, pa.Table]]:
    letters = [chr(it) for it in CODE_POINTS]
    yield "code_points", pa.table({"code_point": pa.array(CODE_POINTS), "letter": letters})
    yield "texts", pa.table({"id": pa.array(range(len(TEXTS))), "text": TEXTS})
    yield "customers_raw", _raw("customer_id", "name", "has_loan")
    yield "accounts_raw", _raw("account_id", "customer_id", "balance", "account_type")
    dates, words = zip(*KEYS, strict=True)
    numbers = pa.array(range(len(KEYS)))
    yield "keys", pa.table({"as_of_date": dates, "record_number": numbers, "word": words})
    balances, rates = zip(*AMOUNTS, strict=True)
    yield (
        "amounts",
        pa.table(
            {
                "id": pa.array(range(len(AMOUNTS))),
                "balance": pa.array(balances, pa.decimal128(18, 2)),
                "rate": pa.array(rates, pa.decimal128(6, 4)),
            }
        ),
    )
    yield "days", pa.table({"word": ["x", "y", "z"], "as_of_date": [DAY, DAY, OTHER_DAY]})
    # In another order than the columns of the table.
    yield "incoming", pa.table({"as_of_date": [DAY, DAY], "word": ["new", "new"]})
    none = pa.schema({"as_of_date": pa.date32(), "word": pa.string()})
    yield "no_rows", none.empty_table()


def _raw(*columns: str) -> pa.Table:
    """Records that have each text in all of their fields."""
    fields = dict.fromkeys(columns, TEXTS)
    numbers = pa.array(range(len(TEXTS)))
    return pa.table({"as_of_date": [DAY] * len(TEXTS), "record_number": numbers, **fields})


@dataclass
class Engines:
    """Both engines with the same tables, and what dbt compiled for each of them."""

    compiled: dict[str, dict[str, str]]
    _duckdb: duckdb.DuckDBPyConnection
    _databricks: Any

    def ask(self, engine: str, query: str) -> Answer:
        """Return what an engine answers."""
        if engine == "duckdb":
            table = self._duckdb.sql(query).to_arrow_table()
        else:
            with self._databricks.cursor() as cursor:
                cursor.execute(query)
                table = cursor.fetchall_arrow()
        types = {field.name: str(field.type).removeprefix("large_") for field in table.schema}
        return types, [tuple(row.values()) for row in table.to_pylist()]

    def run(self, engine: str, statements: str) -> None:
        """Run what has no answer."""
        if engine == "duckdb":
            self._duckdb.execute(statements)
        else:
            with self._databricks.cursor() as cursor:
                cursor.execute(statements)

    def both(self, case: str) -> list[tuple[Any, ...]]:
        """Return the rows of a case, sorted, once both engines have answered the same."""
        answers = [self.ask(engine, self.compiled[engine][case]) for engine in self.compiled]
        (types, rows), (other_types, other_rows) = answers
        assert types == other_types
        rows, other_rows = _in_order(rows), _in_order(other_rows)
        differing = set(rows) ^ set(other_rows)
        assert not differing, f"the engines differ: {_in_order(list(differing))[:20]}"
        assert rows == other_rows
        return rows


def _in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=lambda row: [(it is not None, it) for it in row])


@pytest.fixture(scope="module")
def engines(
    shared_warehouse: WarehouseClient, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engines]:
    """The tables on both engines, and the cases compiled by dbt."""
    folder = tmp_path_factory.mktemp("macros")
    database = folder / "macros.duckdb"
    connection = shared_warehouse.connect(staging_allowed_local_path=str(folder))
    _make_tables(folder, database, connection, shared_warehouse)
    compiled = _compile_for_both(folder, database, shared_warehouse)
    with duckdb.connect(str(database)) as embedded:
        yield Engines(compiled, embedded, connection)


def _make_tables(folder: Path, database: Path, connection: Any, warehouse: WarehouseClient) -> None:
    schema = f"{warehouse.catalog}.{warehouse.schema}"
    volume = f"/Volumes/{warehouse.catalog}/{warehouse.schema}/tables"
    with connection.cursor() as cursor, duckdb.connect(str(database)) as embedded:
        cursor.execute(f"create schema {schema}")
        cursor.execute(f"create volume {schema}.tables")
        for name, table in _tables():
            file = folder / f"{name}.parquet"
            pq.write_table(table, file)
            embedded.execute(f"create table {name} as from read_parquet('{file}')")
            cursor.execute(f"put '{file}' into '{volume}/{name}/{file.name}' overwrite")
            columns = ", ".join(table.column_names)
            cursor.execute(
                f"create table {schema}.{name} using delta as select {columns} "
                f"from read_files('{volume}/{name}', format => 'parquet')"
            )


def _compile_for_both(
    folder: Path, database: Path, warehouse: WarehouseClient
) -> dict[str, dict[str, str]]:
    """Let dbt compile all cases, for each engine in a process of its own."""
    project = folder / "project"
    (project / "models").mkdir(parents=True)
    shutil.copytree(project_dir() / "macros", project / "macros")
    (project / "dbt_project.yml").write_text(_PROJECT)
    (project / "profiles.yml").write_bytes((project_dir() / "profiles.yml").read_bytes())
    (project / "macros" / "replace_day.sql").write_text(REPLACE_DAY)
    (project / "models" / "_sources.yml").write_text(_SOURCES)
    for name, sql in CASES.items():
        (project / "models" / f"{name}.sql").write_text(sql)
    environments = {
        "duckdb": {"DUCKDB_PATH": str(database)},
        "databricks": {
            **warehouse.environment,
            "REQUESTS_CA_BUNDLE": str(warehouse.ca_file),
        },
    }
    processes = {
        engine: _compile(project, folder / engine, {**variables, "DBT_TARGET": engine})
        for engine, variables in environments.items()
    }
    for engine, process in processes.items():
        output, _ = process.communicate(timeout=600)
        assert process.returncode == 0, f"{engine}: {output}"
    return {
        engine: {
            # Bytes, for Python would take a carriage return for a line end.
            name: (folder / engine / "compiled/lending_club/models" / f"{name}.sql")
            .read_bytes()
            .decode()
            for name in CASES
        }
        for engine in environments
    }


def _compile(project: Path, target: Path, variables: dict[str, str]) -> "subprocess.Popen[str]":
    code = "import sys; from dbt.cli.main import cli; cli(sys.argv[1:])"
    arguments = project_arguments(project, target)
    arguments[arguments.index("--log-level") + 1] = "warn"
    return subprocess.Popen(
        [sys.executable, "-c", code, "compile", *arguments, "--no-populate-cache"],
        env={"PATH": "", "HOME": str(project.parent), "TMPDIR": tempfile.gettempdir(), **variables},
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


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
# rules, and the parity suite compares the mart that is made of it.
PROVEN_WITH_OTHERS = {"replace_rows", "walk_deliveries"}


def test_whole_numbers_are_divided_and_days_counted_alike(engines: Engines) -> None:
    rows = engines.both("whole_numbers")

    assert len(rows) > 2
    assert {row[2] for row in rows} == {29}


def test_white_space_is_unicodes_25_code_points(engines: Engines) -> None:
    ((characters,),) = engines.both("characters")

    assert sorted(characters) == sorted(strategies.WHITE_SPACE)
    assert len(characters) == 25


def test_every_code_point_is_trimmed_collapsed_lowered_and_quoted_alike(engines: Engines) -> None:
    found = {row[0]: row[1:] for row in engines.both("code_points")}

    expected = {it: said for it in CODE_POINTS if any(said := _of_code_point(chr(it)))}
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
    collapsed = re.sub(f"[{''.join(strategies.WHITE_SPACE)}]+", " ", text)
    quoted = processing._quoted(text)
    return (
        cleaning.strip(text),
        collapsed,
        collapsed != text or text[:1] == " " or text[-1:] == " ",
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
        ("disabled_compression_methods", "plainly", "as_usual", {"dict_fsst"}),
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
        return _in_order(engines.ask(engine, "select as_of_date, word from days")[1])

    other = (OTHER_DAY, "z")
    engines.run(engine, engines.compiled[engine]["replace_by_some"])
    assert days() == [other, (DAY, "new"), (DAY, "new")]
    engines.run(engine, engines.compiled[engine]["replace_by_none"])
    assert days() == [other]
