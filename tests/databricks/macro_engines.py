"""Both engines with the same tables, and the macros as dbt compiles them for each."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.dbt_runner.manifest import project_arguments
from tests.databricks.macro_cases import CASES, DESCRIPTIONS, REPLACE_DAY
from tests.dirt import BOUNDARIES, HALF_CENTS, every_text
from tests.projects import DbtProcess

DAY, OTHER_DAY = dt.date(2026, 3, 31), dt.date(2026, 3, 30)
# A dbt project with the name of ours, and little in it.
PROJECT = """
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


TEXTS = every_text()
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
# Ideographs, syllables of Hangul and characters for private use: none of them is white space, and
# none has a case. The same holds for all behind the Supplementary Multilingual Plane.
_WITHOUT_CASE = (*((0x3400, 0xA000), (0xAC00, 0xD7A4), (0xE000, 0xF900), (0x20000, 0x110000)),)
_ONE_IN = 4_096


def code_points(*, is_exhaustive: bool) -> list[int]:
    """All code points but surrogates, or all that may have a case and one in some of the others."""
    return [
        it
        for it in range(0x110000)
        if not 0xD800 <= it < 0xE000
        and (
            is_exhaustive
            or it % _ONE_IN == 0
            or not any(first <= it < end for first, end in _WITHOUT_CASE)
        )
    ]


def _tables(points: list[int]) -> Iterator[tuple[str, pa.Table]]:
    letters = [chr(it) for it in points]
    yield "code_points", pa.table({"code_point": pa.array(points), "letter": letters})
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
    points: list[int]
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
        rows, other_rows = in_order(rows), in_order(other_rows)
        differing = set(rows) ^ set(other_rows)
        assert not differing, f"the engines differ: {in_order(list(differing))[:20]}"
        assert rows == other_rows
        return rows


def in_order(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Sort rows, those with nulls too."""
    return sorted(rows, key=lambda row: [(it is not None, it) for it in row])


@contextmanager
def macros_on_both(
    warehouse: WarehouseClient, folder: Path, points: list[int]
) -> Iterator[Engines]:
    """Make the tables on both engines, one with some code points; let dbt compile the cases."""
    database = folder / "macros.duckdb"
    connection = warehouse.connect(staging_allowed_local_path=str(folder))
    _make_tables(folder, database, connection, warehouse, points)
    compiled = _compile_for_both(folder, database, warehouse)
    with duckdb.connect(str(database)) as embedded:
        yield Engines(compiled, points, embedded, connection)


def _make_tables(
    folder: Path, database: Path, connection: Any, warehouse: WarehouseClient, points: list[int]
) -> None:
    schema = f"{warehouse.catalog}.{warehouse.schema}"
    volume = f"/Volumes/{warehouse.catalog}/{warehouse.schema}/tables"
    with connection.cursor() as cursor, duckdb.connect(str(database)) as embedded:
        cursor.execute(f"create schema {schema}")
        cursor.execute(f"create volume {schema}.tables")
        for name, table in _tables(points):
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
    (project / "dbt_project.yml").write_text(PROJECT)
    (project / "profiles.yml").write_bytes((project_dir() / "profiles.yml").read_bytes())
    (project / "macros" / "replace_day.sql").write_text(REPLACE_DAY)
    (project / "models" / "_sources.yml").write_text(_SOURCES)
    (project / "models" / "_models.yml").write_text(DESCRIPTIONS)
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
    assert {engine: it.problem() for engine, it in processes.items()} == dict.fromkeys(processes)
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


def _compile(project: Path, target: Path, variables: dict[str, str]) -> DbtProcess:
    arguments = ["compile", *project_arguments(project, target), "--no-populate-cache"]
    own = {"PATH": "", "HOME": str(project.parent), "TMPDIR": tempfile.gettempdir()}
    return DbtProcess(arguments, own | variables)
