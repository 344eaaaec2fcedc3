"""What the checks found of the delivery that is published, from Dagster's event log."""

import datetime as dt
from typing import Final

import dagster as dg

from lending_club_pipeline.publish.report import CheckResult

_LANDED: Final = dg.AssetKey("delivered_files")
_PAGE: Final = 20


def checks_of_delivery(instance: dg.DagsterInstance, as_of_date: dt.date) -> list[CheckResult]:
    """Return what the checks found when a delivery was processed last; empty if nobody knows.

    That is the run at hand, unless it is about a late, older date: then what is published is still
    the newest delivery, and so are its checks.
    """
    run_id = _run_that_processed(instance, as_of_date)
    if run_id is None:
        return []
    records = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    evaluations = [record.get_dagster_event().asset_check_evaluation_data for record in records]
    results = (
        CheckResult(
            name=evaluation.check_name,
            asset=evaluation.asset_key.to_user_string(),
            passed=evaluation.passed,
            severity=evaluation.severity.value.lower(),
            description=evaluation.description or "",
        )
        for evaluation in evaluations
    )
    return sorted(results, key=lambda result: (result.asset, result.name))


def _run_that_processed(instance: dg.DagsterInstance, as_of_date: dt.date) -> str | None:
    day, cursor, has_more = as_of_date.isoformat(), None, True
    while has_more:
        page = instance.fetch_materializations(_LANDED, limit=_PAGE, cursor=cursor)
        for record in page.records:
            landed = record.asset_materialization
            # A partition without a delivery has no date: nothing was landed.
            date = None if landed is None else landed.metadata.get("as_of_date")
            if date is not None and date.value == day:
                return record.run_id
        cursor, has_more = page.cursor, page.has_more
    return None
