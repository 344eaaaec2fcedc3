"""Column lineage, traced in a subprocess.

sqlglot and the trees that it makes of the models take fifty megabytes, once per project.
"""

from collections.abc import Mapping
from typing import TypeAlias

from lending_club_pipeline.dbt_runner.subprocesses import call_in_subprocess

# By model and column: the upstream models (or sources) and their columns.
ColumnLineage: TypeAlias = dict[str, dict[str, list[tuple[str, str]]]]
# By relation: its columns and their types.
Schema: TypeAlias = Mapping[str, Mapping[str, str]]


def trace_in_subprocess(compiled: Mapping[str, str], schema: Schema, dialect: str) -> ColumnLineage:
    """Call `column_lineage.trace_columns`; its arguments and result are the same, pairs as lists.

    Raises:
        TransformationError: the process ended early.
    """
    given = {"compiled": compiled, "schema": schema, "dialect": dialect}
    lineage: ColumnLineage = call_in_subprocess(
        "lending_club_pipeline.dbt_runner.column_lineage", given
    )
    return lineage
