"""Reconciliation breaks: equations of the ledger that do not hold, and by how much.

Only this test shows its rows, which are counts and sums. Rows of other tests may hold records.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import dagster as dg

from lending_club_pipeline.contract.stages import equation
from lending_club_pipeline.dbt_runner.invocation import NodeResult
from lending_club_pipeline.defs.dbt.graph import DbtGraph
from lending_club_pipeline.warehouse import Warehouse

# The dbt test that finds the breaks.
_TEST: Final = "every_row_and_cent_is_accounted_for"
_SHOWN: Final = 6


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
    more = f"; and {len(breaks) - _SHOWN} more" if len(breaks) > _SHOWN else ""
    return "the ledger does not close. " + "; ".join(map(str, breaks[:_SHOWN])) + more


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
