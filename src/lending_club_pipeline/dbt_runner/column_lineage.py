"""Column lineage: the source columns of each column of a model, from its compiled SQL by sqlglot.

As a program it reads the arguments of `trace_columns` as JSON and writes its result as JSON.
"""

import gc
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from lending_club_pipeline.dbt_runner.lineage import ColumnLineage, Schema

_EPHEMERAL_PREFIX: Final = "__dbt__cte__"


def trace_columns(compiled: Mapping[str, str], schema: Schema, dialect: str) -> ColumnLineage:
    """Trace every column of every model to the columns of its direct parents.

    dbt inlines ephemeral models into the models that use them; here they are separated again and
    traced as separate models.

    Args:
        compiled: compiled SQL by model name; ephemeral models may be missing.
        schema: columns of the relations that exist.
        dialect: sqlglot's name of the SQL dialect.

    Returns:
        The lineage, without models that sqlglot cannot read.
    """
    queries: dict[str, exp.Expression] = {}
    for name, sql in compiled.items():
        for found, query in _separated(name, sql, dialect):
            queries.setdefault(found, query)
    known = {name: dict(columns) for name, columns in schema.items()}
    traced: ColumnLineage = {}
    # The columns of an ephemeral model are known when those of its parents are.
    for _ in queries:
        for name in [it for it in queries if it not in traced]:
            if _parents(queries[name]) <= known.keys():
                traced[name] = _trace(queries[name], known, dialect)
                known.setdefault(name, dict.fromkeys(traced[name], "unknown"))
    return {name: columns for name, columns in traced.items() if columns}


def _parents(query: exp.Expression) -> set[str]:
    ctes = {cte.alias for cte in query.find_all(exp.CTE)}
    return {table.name for table in query.find_all(exp.Table)} - ctes


def _separated(name: str, sql: str, dialect: str) -> Iterator[tuple[str, exp.Expression]]:
    """Separate a compiled model: the ephemeral models in it, then its own query."""
    try:
        query = parse_one(sql, dialect=dialect)
    except SqlglotError:
        return
    for table in query.find_all(exp.Table):
        table.set("this", exp.to_identifier(table.name.removeprefix(_EPHEMERAL_PREFIX)))
        table.set("db", None)
        table.set("catalog", None)
    for cte in list(query.find_all(exp.CTE)):
        if cte.alias.startswith(_EPHEMERAL_PREFIX):
            yield cte.alias.removeprefix(_EPHEMERAL_PREFIX), cte.this.copy()
            cte.pop()
    yield name, query


def _trace(
    query: exp.Expression, schema: dict[str, dict[str, str]], dialect: str
) -> dict[str, list[tuple[str, str]]]:
    try:
        qualified = qualify(query.copy(), schema=schema, dialect=dialect)
        # With its scope given, sqlglot does not qualify the whole query again for each column, and
        # does not copy each step with only that column.
        given = {"schema": schema, "dialect": dialect, "scope": build_scope(qualified)}
        return {
            column: sorted(
                set(_sources(lineage(column, qualified, **given, trim_selects=False, copy=False)))
            )
            for column in qualified.named_selects
        }
    except SqlglotError:
        return {}
    finally:
        # The tree of a query has many cycles, and a run rarely collects garbage.
        gc.collect()


def _sources(node: Node) -> Iterator[tuple[str, str]]:
    for step in node.walk():
        if isinstance(step.expression, exp.Table) and not step.downstream:
            yield step.expression.name, step.name.rpartition(".")[2].strip('"`')


if __name__ == "__main__":
    json.dump(trace_columns(**json.load(sys.stdin)), sys.stdout)
