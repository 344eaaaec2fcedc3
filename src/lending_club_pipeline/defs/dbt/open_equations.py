"""Which equations of the ledger are open, and by how much, when its test fails.

What other tests find stays in the warehouse: it may show records. This is counts and sums alone.
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

# The dbt test whose rows they are.
_TEST: Final = "every_row_and_cent_is_accounted_for"
_SHOWN: Final = 6


@dataclass(frozen=True)
class OpenEquation:
    """An equation of the ledger that does not hold; what is negative is too much.

    Attributes:
        as_of_date: business date of the delivery.
        source_file: the file whose ledger it is.
        whole: the stage on the left side.
        rows_missing: records that are on the left side alone.
        balance_missing: sum of accepted balances that is on the left side alone.
        balance_unknown_missing: records without an accepted balance that are there alone.
    """

    as_of_date: dt.date
    source_file: str
    whole: str
    rows_missing: int
    balance_missing: Decimal
    balance_unknown_missing: int

    def __str__(self) -> str:
        """Say it in words, as in `accounts.csv of 2026-01-31: joined = …: 1 missing in records`."""
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


def read_open_equations(
    graph: DbtGraph, results: Sequence[NodeResult], warehouse: Warehouse
) -> dict[str, list[OpenEquation]]:
    """Return the open equations by unique id of the test that found them; none if it passed.

    Args:
        graph: the nodes of the dbt project.
        results: what became of them.
        warehouse: an open warehouse.
    """
    return {
        result.unique_id: sorted(
            (OpenEquation(**row) for row in warehouse.fetch(result.compiled)),
            key=lambda it: it.as_of_date,
        )
        for result in results
        if result.status == "fail" and graph.title_of(result.unique_id) == _TEST
    }


def told(equations: Sequence[OpenEquation]) -> str:
    """Return the equations in one line."""
    more = f"; and {len(equations) - _SHOWN} more" if len(equations) > _SHOWN else ""
    return "the ledger does not close. " + "; ".join(map(str, equations[:_SHOWN])) + more


def tabulated(equations: Sequence[OpenEquation]) -> dg.TableMetadataValue:
    """Return the equations as a table that Dagster shows with the check."""
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
            for it in equations
        ]
    )
