"""A build that was killed half-way is completed by the next one, of whatever date that is."""

import datetime as dt

import pytest

from tests.faults.histories import CUSTOMERS, VARIANTS, History, differences
from tests.faults.processes import KillPoint, run_and_kill
from tests.workspaces import AS_OF, Workspace

BEFORE = AS_OF - dt.timedelta(days=1)
# The ledger comes after it, and is still that of the delivery before.
_HALF_WAY = "dbt account_summary_daily"


@pytest.mark.exhaustive
def test_a_run_of_another_date_completes_what_a_killed_one_began(workspace: Workspace) -> None:
    history = History()

    def deliver(day: dt.date, variant: int) -> None:
        workspace.deliver(CUSTOMERS, VARIANTS[variant], day)
        history.delivered[day] = variant

    deliver(BEFORE, 0)
    deliver(AS_OF, 1)
    first = run_and_kill(workspace, ("run", "--from", str(BEFORE), "--to", str(AS_OF)))
    assert first.code == 0, first.text
    deliver(AS_OF, 2)
    half_way = _line(run_and_kill(workspace, ("run", "--as-of", str(AS_OF))).lines)
    deliver(AS_OF, 3)

    killed = run_and_kill(workspace, ("run", "--as-of", str(AS_OF)), KillPoint(line=half_way))
    assert killed.is_killed
    deliver(BEFORE, 1)
    other = run_and_kill(workspace, ("run", "--as-of", str(BEFORE)))

    assert other.code == 0, other.text
    assert f"Built with it, because a run was interrupted: {AS_OF}" in other.text
    history.processed([BEFORE, AS_OF], is_forced=True)
    assert list(differences(history, workspace)) == []


def _line(lines: tuple[str, ...]) -> int:
    return next(number for number, line in enumerate(lines) if line.startswith(_HALF_WAY))
