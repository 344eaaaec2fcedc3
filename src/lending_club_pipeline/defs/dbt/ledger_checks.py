"""Checks of the ledger: reconciliation breaks, days without a delivery, unusual volumes.

A reconciliation break is an equation of the ledger that does not hold. Only the test that finds
them shows its rows, which are counts and sums; rows of other tests may hold records.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import dagster as dg

from lending_club_pipeline.config.calendars import missing_days
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.contract.stages import equation
from lending_club_pipeline.dbt_runner.invocation import NodeResult
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.reconcile.freshness_and_volume import (
    ProcessedFile,
    volume_anomalies,
)
from lending_club_pipeline.warehouse import Warehouse

# The dbt test that finds the breaks.
_TEST: Final = "every_row_and_cent_is_accounted_for"
_SHOWN_BREAKS: Final = 6
_SHOWN_FINDINGS: Final = 5
DAYS: Final = dg.AssetCheckSpec(
    "every_expected_day_has_a_delivery",
    asset="delivery_ledger",
    description=(
        "From the first processed day to the newest, no day of DELIVERY_CALENDAR is missing."
    ),
)
VOLUME: Final = dg.AssetCheckSpec(
    "volume_is_usual",
    asset="delivery_ledger",
    description="Each file has about as many records as in the 30 deliveries before.",
)
FRESHNESS_AND_VOLUME_CHECKS: Final = (DAYS, VOLUME)


@dataclass(frozen=True)
class ReconciliationBreak:
    """An equation of the ledger that does not hold. Negative numbers mean a surplus.

    Attributes:
        as_of_date: business date of the delivery.
        source_file: the file of the ledger.
        whole: the stage on the left side.
        rows_missing: records that are only on the left side.
        balance_missing: sum of accepted balances that is only on the left side.
        balance_unknown_missing: records without an accepted balance, only on the left side.
    """

    as_of_date: dt.date
    source_file: str
    whole: str
    rows_missing: int
    balance_missing: Decimal
    balance_unknown_missing: int

    def __str__(self) -> str:
        """Describe it, as in `accounts.csv of 2026-01-31: joined = …: 1 missing in records`."""
        open_by: dict[str, int | Decimal] = {
            "records": self.rows_missing,
            "balance": self.balance_missing,
            "records of unknown balance": self.balance_unknown_missing,
        }
        said = [
            f"{abs(by):,} {'missing' if by > 0 else 'too much'} in {what}"
            for what, by in open_by.items()
            if by
        ]
        found = ", ".join(said) or "a stage has no line"
        return f"{self.source_file} of {self.as_of_date}: {self.equation}: {found}"

    @property
    def equation(self) -> str:
        """Both sides, as in `landed = cleaned + exact_duplicate + …`."""
        return equation(self.source_file, self.whole)


def read_reconciliation_breaks(
    graph: DbtGraph, results: Sequence[NodeResult], warehouse: Warehouse
) -> dict[str, list[ReconciliationBreak]]:
    """Return the breaks by unique id of the test that found them; none if it passed.

    Args:
        graph: the nodes of the dbt project.
        results: their results.
        warehouse: an open warehouse.
    """
    return {
        result.unique_id: sorted(
            (ReconciliationBreak(**row) for row in warehouse.fetch(result.compiled)),
            key=lambda it: it.as_of_date,
        )
        for result in results
        if result.status == "fail" and graph.title_of(result.unique_id) == _TEST
    }


def describe(breaks: Sequence[ReconciliationBreak]) -> str:
    """Describe the breaks in one line."""
    more = f"; and {len(breaks) - _SHOWN_BREAKS} more" if len(breaks) > _SHOWN_BREAKS else ""
    return "the ledger does not close. " + "; ".join(map(str, breaks[:_SHOWN_BREAKS])) + more


def as_table(breaks: Sequence[ReconciliationBreak]) -> dg.TableMetadataValue:
    """Return the breaks as a table that Dagster shows with the check."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "as_of_date": it.as_of_date.isoformat(),
                    "source_file": it.source_file,
                    "equation": it.equation,
                    "rows_missing": it.rows_missing,
                    "balance_missing": str(it.balance_missing),
                    "balance_unknown_missing": it.balance_unknown_missing,
                }
            )
            for it in breaks
        ]
    )


def check_freshness_and_volume(
    files: Sequence[ProcessedFile],
    settings: DataPlatformConfig,
    dates: Sequence[dt.date],
    selected: AbstractSet[dg.AssetCheckKey],
) -> Iterator[dg.AssetCheckResult]:
    """Check the deliveries of a run against the calendar and against earlier deliveries.

    Args:
        files: files of all processed deliveries.
        settings: settings with the calendar of expected deliveries.
        dates: business dates of the run.
        selected: checks to run.
    """
    if DAYS.key in selected:
        missing = missing_days(
            {file.as_of_date for file in files},
            settings.deliveries.calendar,
            settings.deliveries.holiday_dates,
        )
        yield _warning(DAYS, "missing_days", [day.isoformat() for day in missing])
    if VOLUME.key in selected:
        unusual = volume_anomalies(files, dates)
        yield _warning(VOLUME, "unusual_files", [str(it) for it in unusual])


def _warning(spec: dg.AssetCheckSpec, name: str, found: Sequence[str]) -> dg.AssetCheckResult:
    more = f" and {len(found) - _SHOWN_FINDINGS} more" if len(found) > _SHOWN_FINDINGS else ""
    said = f" Found: {'; '.join(found[:_SHOWN_FINDINGS])}{more}." if found else ""
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{spec.description}{said}",
        metadata={name: dg.MetadataValue.json(list(found))},
    )
