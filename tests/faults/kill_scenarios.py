"""What is killed: a first run, the next day, a restated day, a late day, a backfill."""

import datetime as dt
from typing import Final

from tests.faults.killing import KillHarness, Scenario
from tests.workspaces import Workspace

DAY: Final = dt.date(2026, 1, 31)
_ONE: Final = dt.timedelta(days=1)
_CUSTOMERS: Final = "1,Ada,Yes\n2,Grace,No\n3,,maybe\n"


def accounts(balance: str) -> str:
    """Accounts with every fate; `balance` is that of the account A."""
    return (
        f"A,1,{balance},Savings\nB,2,20000.01,Savings\nC,2,7,Checking\n"
        "D,9,1,Savings\nE,1,x,Savings\nE,1\n"
    )


def deliver(workspace: Workspace, day: dt.date, balance: str) -> None:
    """Deliver a day whose account A has this balance."""
    workspace.deliver(_CUSTOMERS, accounts(balance), day)


def _nothing(_: KillHarness) -> None:
    """Nothing is there before a first run."""


def _one_day(harness: KillHarness) -> None:
    deliver(harness.workspace, DAY, "100")
    _processed(harness, "run", "--as-of", DAY.isoformat())


def _three_days(harness: KillHarness) -> None:
    for number in range(3):
        deliver(harness.workspace, DAY + number * _ONE, f"{number + 1}00")
    _processed(harness, "run", "--from", DAY.isoformat(), "--to", "2026-02-10")


def _processed(harness: KillHarness, *arguments: str) -> None:
    ended = harness.run(*arguments)
    assert ended.code == 0, ended.text


def _backfilled(workspace: Workspace) -> None:
    """One day restated, one unchanged, one restated, two new ones behind a missing one."""
    for number in (0, 2, 4, 5):
        deliver(workspace, DAY + number * _ONE, f"{number + 1}000")


def _as_of(day: dt.date) -> tuple[str, ...]:
    return ("run", "--as-of", day.isoformat())


SCENARIOS: Final = (
    Scenario("first run", _nothing, lambda it: deliver(it, DAY, "100"), _as_of(DAY), "A"),
    Scenario(
        "next day", _one_day, lambda it: deliver(it, DAY + _ONE, "200"), _as_of(DAY + _ONE), "A"
    ),
    Scenario("restated day", _one_day, lambda it: deliver(it, DAY, "300"), _as_of(DAY), "A"),
    Scenario(
        "late day", _one_day, lambda it: deliver(it, DAY - _ONE, "50"), _as_of(DAY - _ONE), "A"
    ),
    Scenario(
        "backfill",
        _three_days,
        _backfilled,
        ("run", "--from", DAY.isoformat(), "--to", "2026-02-10"),
        "A",
        # The days before the missing one are a run of their own.
        stages=(("run", "--from", DAY.isoformat(), "--to", "2026-02-02"),),
    ),
)
