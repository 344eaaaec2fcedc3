"""The query history over REST: which statements a client ran, newest first, in pages.

As in https://docs.databricks.com/api/workspace/queryhistory/list; nothing in it starts a warehouse.
"""

import time
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any, Final

from pyspark.sql import SparkSession

from databricks_stand_in.registers import Ran

PATH: Final = "/api/2.0/sql/history/queries"
WAREHOUSE_ID: Final = "local"
_MOST, _USUAL = 999, 100
_KNOWN: Final = frozenset(
    {
        "filter_by.query_start_time_range.start_time_ms",
        "filter_by.query_start_time_range.end_time_ms",
        "filter_by.statement_ids",
        "filter_by.statuses",
        "filter_by.warehouse_ids",
        "include_metrics",
        "max_results",
        "page_token",
    }
)
# What a statement read and wrote, in bytes, if that is known.
Bytes = Callable[[str], tuple[int, int] | None]


def answer(ran: Sequence[Ran], query: str, bytes_of: Bytes) -> dict[str, Any]:
    """Return a page of the statements that a request asks for.

    Args:
        ran: all statements of the client, in the order in which they came.
        query: what stands behind the question mark of the address.
        bytes_of: returns what a statement read and wrote.

    Raises:
        ValueError: a parameter is not one of the API, or one that is not known here.
    """
    asked = urllib.parse.parse_qs(query, strict_parsing=bool(query))
    unknown = asked.keys() - _KNOWN
    if unknown:
        raise ValueError(f"The stand-in does not know the parameter {min(unknown)}.")
    limit = int(asked.get("max_results", [str(_USUAL)])[0])
    if not 1 <= limit <= _MOST:
        raise ValueError(f"max_results must be from 1 to {_MOST}.")
    # The newest comes first. A token says how many were older, so that new ones shift no page.
    chosen = [it for it in ran if _is_asked_for(it, asked)]
    left = int(asked.get("page_token", [str(len(chosen))])[0])
    page = chosen[max(left - limit, 0) : left][::-1]
    with_metrics = asked.get("include_metrics") == ["true"]
    found = [_as_json(it, bytes_of if with_metrics else None) for it in page]
    if left <= limit:
        return {"has_next_page": False, "res": found}
    return {"has_next_page": True, "next_page_token": str(left - limit), "res": found}


def bytes_in_spark(spark: SparkSession, name: str) -> tuple[int, int] | None:
    """Return what the jobs of a statement read and wrote, as far as Spark remembers them."""
    context = spark.sparkContext
    store, tracker = context._jsc.sc().statusStore(), context.statusTracker()
    jobs = [tracker.getJobInfo(it) for it in tracker.getJobIdsForGroup(name)]
    stages = [tracker.getStageInfo(id_) for job in jobs if job for id_ in job.stageIds]
    if not any(stages):
        return None
    kept = [store.lastStageAttempt(it.stageId) for it in stages if it]
    return sum(it.inputBytes() for it in kept), sum(it.outputBytes() for it in kept)


def _is_asked_for(ran: Ran, asked: dict[str, list[str]]) -> bool:
    among = {
        "filter_by.statement_ids": ran.id,
        "filter_by.statuses": ran.status,
        "filter_by.warehouse_ids": WAREHOUSE_ID,
    }
    if not all(value in asked.get(name, [value]) for name, value in among.items()):
        return False
    started = _milliseconds(ran.started)
    first = int(asked.get("filter_by.query_start_time_range.start_time_ms", ["0"])[0])
    last = asked.get("filter_by.query_start_time_range.end_time_ms")
    return first <= started and (last is None or started <= int(last[0]))


def _as_json(ran: Ran, bytes_of: Bytes | None) -> dict[str, Any]:
    seconds = time.time() - ran.started if ran.seconds is None else ran.seconds
    started, taken = _milliseconds(ran.started), _milliseconds(seconds)
    shown: dict[str, Any] = {
        "query_id": ran.id,
        "status": ran.status,
        "query_text": ran.text,
        "query_start_time_ms": started,
        "warehouse_id": WAREHOUSE_ID,
        "endpoint_id": WAREHOUSE_ID,
        "session_id": ran.session,
        "rows_produced": ran.rows,
        "duration": taken,
        "is_final": ran.seconds is not None,
        "query_tags": [{"key": key, "value": value} for key, value in ran.tags.items()],
    }
    if ran.error:
        shown["error_message"] = ran.error
    if ran.seconds is not None:
        shown["query_end_time_ms"] = started + taken
    if bytes_of is not None:
        shown["metrics"] = {"total_time_ms": taken, "rows_produced_count": ran.rows}
        known = bytes_of(ran.id)
        if known is not None:
            shown["metrics"] |= {"read_bytes": known[0], "write_remote_bytes": known[1]}
    return shown


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
