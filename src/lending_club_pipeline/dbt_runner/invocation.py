"""Run dbt in this process: no subprocess, no second parse, no second connection."""

import datetime as dt
import gc
import re
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, cast

from lending_club_pipeline.config.environment import sheltering
from lending_club_pipeline.contract.errors import TransformationError
from lending_club_pipeline.dbt_runner.manifest import (
    PreparedManifest,
    project_arguments,
)
from lending_club_pipeline.files.io_errors import damaged, is_damaged
from lending_club_pipeline.files.plain_paths import as_named
from lending_club_pipeline.files.processes import raising_keyboard_interrupts

NodeStatus = Literal["success", "pass", "warn", "fail", "error", "skipped", "no-op"]
# dbt's tag of nodes that are built once a month, not with each delivery.
MONTH_END: Final = "month_end"
_FAILED: Final = frozenset({"fail", "error"})
# Errors in which DuckDB and Databricks repeat a value; the error of a contract names only types
# (dbt/macros/materializations/contracts.sql).
_SHOWS_VALUES: Final = re.compile(
    r"\b(?:Conversion|Invalid Input|Out of Range|Constraint) Error"
    r"|\[(?:CAST_INVALID_INPUT|CAST_OVERFLOW|NUMERIC_VALUE_OUT_OF_RANGE)\]"
    r"|\[USER_RAISED_EXCEPTION\](?! The contract of )"
)
# The part of DuckDB's errors about a file that only lists options of its reader.
_HINTS_ON_READING: Final = re.compile(
    r"[.]? (?:Column \w+ is being converted as|The search space used was|Possible fixes:).*"
)
# dbt keeps its flags, its adapter and its environment once per process.
_DBT: Final = threading.Lock()
_SOURCE_COLUMN: Final = re.compile(r"when casting from source column (\w+)")


@dataclass(frozen=True)
class NodeResult:
    """Result of one dbt node.

    Attributes:
        unique_id: dbt's name of the node.
        status: how it ended.
        seconds: wall time that it took.
        failures: rows that a test found, or None if it is not a test.
        message: dbt's message about it.
        compiled: the SQL that was run, or an empty text.
    """

    unique_id: str
    status: NodeStatus
    seconds: float
    failures: int | None
    message: str
    compiled: str

    @property
    def is_failed(self) -> bool:
        """Whether this node stopped the nodes that depend on it."""
        return self.status in _FAILED


def build_arguments(
    dates: Sequence[dt.date],
    select: Sequence[str] = (),
    threads: int = 1,
    movement_percents: Mapping[str, Decimal] | None = None,
    months: Sequence[dt.date] = (),
) -> list[str]:
    """Return the arguments of `dbt build` for the deliveries of some dates.

    Unit tests are left out: they prove the code, not the data, and run in the test command.

    Args:
        dates: business dates of the deliveries.
        select: names of the nodes to build; none means all.
        threads: nodes that are built at the same time.
        movement_percents: largest change of each measure in percent; none means no limit.
        months: first days of months whose ends are computed in the same build.
    """
    selection = ["--select", *select] if select else []
    listed = ", ".join(f"'{date.isoformat()}'" for date in sorted(dates))
    limits = ", ".join(f"{name}: '{it}'" for name, it in (movement_percents or {}).items())
    limited = f", movement_limits: {{{limits}}}" if limits else ""
    ends = ", ".join(f"'{month.isoformat()}'" for month in sorted(months))
    closing = f", months: [{ends}]" if ends else ""
    return [
        "build",
        *selection,
        "--exclude", "resource_type:unit_test", *([] if months else [f"tag:{MONTH_END}"]),
        "--vars", f"{{as_of_dates: [{listed}]{limited}{closing}}}",
        "--threads", str(threads),
        "--no-write-json",
    ]  # fmt: skip


def month_arguments(
    months: Sequence[dt.date], select: Sequence[str] = (), threads: int = 1
) -> list[str]:
    """Return the arguments of `dbt build` for the ends of some months.

    Args:
        months: their first days.
        select: names of the nodes to build; none means all month-end nodes.
        threads: nodes that are built at the same time.
    """
    listed = ", ".join(f"'{month.isoformat()}'" for month in sorted(months))
    return [
        "build",
        "--select", *(select or [f"tag:{MONTH_END}"]),
        "--exclude", "resource_type:unit_test",
        "--vars", f"{{months: [{listed}]}}",
        "--threads", str(threads),
        "--no-write-json",
    ]  # fmt: skip


def run_dbt(
    prepared: PreparedManifest,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    on_node: Callable[[str, str, float], None],
) -> list[NodeResult]:
    """Run one dbt command and return the result of each node.

    Options reach dbt only by `arguments`: its own variables are removed while it runs.

    Args:
        prepared: the parsed project.
        arguments: command and options, as from `build_arguments`.
        environment: variables with which dbt finds the warehouse.
        on_node: called with name, status and seconds of each node when it ends.

    Raises:
        TransformationError: dbt could not run at all; failed nodes are in the result instead.
        WarehouseError: a node failed, or dbt could not run, because the database file is damaged.
        KeyboardInterrupt: the process was told to stop; no query of dbt runs any more.
    """
    # dbt's modules also read the environment when they are imported. Only a KeyboardInterrupt makes
    # dbt cancel its queries and wait for its threads. Python aborts if one of them outlives it.
    with _DBT, sheltering(environment), raising_keyboard_interrupts():
        outcome = _invoke(prepared, arguments, on_node)
    if isinstance(outcome.exception, KeyboardInterrupt):
        raise outcome.exception
    ended = getattr(outcome.result, "results", None)
    if ended is None:
        reason = " ".join(str(outcome.exception).split()) or type(outcome.exception).__name__
        _raise_if_damaged(environment, reason)
        raise TransformationError(f"dbt stopped before it built anything: {reason}")
    results = [_node_result(result) for result in ended]
    failed = [result for result in results if result.status == "error"]
    for result in failed:
        _raise_if_damaged(environment, result.message)
    if failed:
        # Their tracebacks hold cursors, which keep an embedded database open for writing.
        gc.collect()
    return results


def _invoke(
    prepared: PreparedManifest,
    arguments: Sequence[str],
    on_node: Callable[[str, str, float], None],
) -> Any:  # noqa: ANN401 - dbt's class, which is slow to import
    from dbt.cli.main import dbtRunner  # noqa: PLC0415 - slow to import
    from dbt.contracts.graph.manifest import Manifest  # noqa: PLC0415 - as above
    from dbt.parser.manifest import extended_mashumuro_decoder  # noqa: PLC0415 - as above

    # A manifest must not be used twice: dbt writes compiled code into its ephemeral models.
    manifest = Manifest.from_msgpack(
        prepared.serialised.read_bytes(), decoder=extended_mashumuro_decoder
    )
    runner = dbtRunner(manifest=manifest, callbacks=[_reporting(on_node)])
    # After an interruption, dbt's threads still write there for a moment.
    with tempfile.TemporaryDirectory(prefix="dbt-", ignore_cleanup_errors=True) as target:
        return runner.invoke([*arguments, *project_arguments(prepared.project, Path(target))])


def _raise_if_damaged(environment: Mapping[str, str], message: str) -> None:
    """Raise an error with a remedy if the database is damaged, whichever model noticed it."""
    file = environment.get("DUCKDB_PATH")
    if file and is_damaged(Path(file), message):
        raise damaged(as_named(Path(file)))


def _node_result(result: Any) -> NodeResult:  # noqa: ANN401 - dbt's classes are not typed for us
    said = " ".join(str(result.message or "").split())
    # A seed is part of the project and holds no personal data.
    is_seed = result.node.resource_type == "seed"
    shown = _HINTS_ON_READING.sub("", said) if is_seed else _without_values(said)
    return NodeResult(
        unique_id=result.node.unique_id,
        status=cast("NodeStatus", str(result.status).rpartition(".")[2].lower()),
        seconds=round(float(result.execution_time), 3),
        failures=result.failures,
        message=shown,
        compiled=getattr(result.node, "compiled_code", None) or "",
    )


def _without_values(message: str) -> str:
    """Remove a value from an engine's message, as it may be personal data; keep the column."""
    kind = _SHOWS_VALUES.search(message)
    if kind is None:
        return message
    columns = _SOURCE_COLUMN.findall(message)
    where = f" of column {columns[-1]}" if columns else ""
    return f"{message[: kind.end()]} (the value{where} is not shown: it may be personal data)"


def _reporting(on_node: Callable[[str, str, float], None]) -> Callable[[Any], None]:
    def report(event: Any) -> None:  # noqa: ANN401 - made from dbt's messages
        if event.info.name != "NodeFinished":
            return
        node = event.data.node_info
        # dbt counts exposures and ephemeral models, too, but does nothing for them.
        if node.materialized != "ephemeral" and node.node_status != "no-op":
            on_node(node.node_name, node.node_status, float(event.data.run_result.execution_time))

    return report
