"""What is wrong: a table of facts and alerts, without an engine, a clock or Dagster."""

import datetime as dt
from dataclasses import replace

import pytest

from lending_club_pipeline.operating.conditions import Alert, find_alerts, settled
from lending_club_pipeline.operating.facts import CheckState, FinishedRun, Observed, WatcherState
from lending_club_pipeline.runs.overview import DayOverview, Standing

NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
D1, D2 = dt.date(2026, 3, 8), dt.date(2026, 3, 9)
LINE = "accounts.csv, line 1, column Balance: the header has no Balance. Correct the header"


def run(outcome: str = "failed", date: dt.date | None = D1, run_id: str = "r1") -> FinishedRun:
    message = "" if outcome == "success" else LINE
    return FinishedRun("process_delivery", date, run_id, outcome, message, NOW - HOUR)  # type: ignore[arg-type]


def day(standing: Standing, date: dt.date = D1, **others: object) -> DayOverview:
    return DayOverview(date, standing, "unchanged", **others)  # type: ignore[arg-type]


def names(observed: Observed) -> list[tuple[str, str]]:
    return [(alert.name, "/".join(alert.about.values())) for alert in find_alerts(observed)]


@pytest.mark.parametrize(
    ("observed", "expected"),
    [
        pytest.param(Observed(NOW), [], id="nothing is known"),
        pytest.param(Observed(NOW, runs=[run("success")]), [], id="all is well"),
        pytest.param(
            Observed(NOW, runs=[run()]),
            [("RunFailed", "process_delivery/2026-03-08")],
            id="a run failed",
        ),
        pytest.param(
            Observed(NOW, runs=[run(date=None)]), [("RunFailed", "process_delivery")], id="no date"
        ),
        pytest.param(
            Observed(NOW, runs=[run("refused")]), [("DeliveryRefused", "2026-03-08")], id="refused"
        ),
        pytest.param(
            Observed(NOW, runs=[run("held")]), [("DeliveryHeld", "2026-03-08")], id="held"
        ),
        pytest.param(
            Observed(NOW + dt.timedelta(days=8), runs=[run()]), [], id="nobody cared for a week"
        ),
        pytest.param(Observed(NOW, runs=[run()], settled={("r1", D1)}), [], id="put right since"),
        pytest.param(
            Observed(NOW, runs=[run("refused")], days=[day("refused", message=LINE)]),
            [("DeliveryRefused", "2026-03-08")],
            id="told once, whoever says it",
        ),
        pytest.param(Observed(NOW, due=[D1]), [("DeliveryLate", "2026-03-08")], id="late"),
        pytest.param(Observed(NOW, due=[D1], done=[D1]), [], id="in time"),
        pytest.param(Observed(NOW, due=[D1], days=[day("published")]), [], id="published"),
        pytest.param(
            Observed(NOW, due=[D1], runs=[run("refused")]),
            [("DeliveryRefused", "2026-03-08")],
            id="why it is late is told instead",
        ),
        pytest.param(
            Observed(NOW, due=[D1 - dt.timedelta(days=30)]), [], id="long ago is not late"
        ),
        pytest.param(
            Observed(NOW, checks=[CheckState("t", "c", passed=False, is_blocking=False)]),
            [("CheckFailed", "t/c")],
            id="a check failed in a run that did not",
        ),
        pytest.param(
            Observed(
                NOW,
                runs=[run()],
                checks=[CheckState("t", "c", passed=False, is_blocking=True, run_id="r1")],
            ),
            [("RunFailed", "process_delivery/2026-03-08")],
            id="what stopped a run is told with the run",
        ),
        pytest.param(
            Observed(NOW, watchers=[WatcherState("s", "no network", NOW)]),
            [("WatcherFailing", "s")],
            id="a sensor fails",
        ),
        pytest.param(
            Observed(NOW, watchers=[WatcherState("s", "", NOW - HOUR, dt.timedelta(minutes=1))]),
            [("WatcherFailing", "s")],
            id="a sensor is silent",
        ),
        pytest.param(
            Observed(NOW, watchers=[WatcherState("s", "", NOW - HOUR)]), [], id="a schedule waits"
        ),
        pytest.param(
            Observed(NOW, daemons={"SENSOR": NOW, "SCHEDULER": NOW - HOUR}),
            [("DaemonSilent", "SCHEDULER")],
            id="a daemon is silent",
        ),
    ],
)
def test_what_is_wrong(observed: Observed, expected: list[tuple[str, str]]) -> None:
    assert names(observed) == expected


def test_an_alert_says_what_the_product_says_and_leads_to_the_run() -> None:
    (alert,) = find_alerts(Observed(NOW, runs=[run("refused")]))

    assert (alert.summary, alert.run_id) == (LINE, "r1")


def test_an_alert_stays_the_same_one_whatever_run_finds_it_again() -> None:
    def labels(run_id: str) -> list[dict[str, str]]:
        return [it.labels for it in find_alerts(Observed(NOW, runs=[run(run_id=run_id)]))]

    assert labels("r1") == labels("r2")


@pytest.mark.parametrize(
    ("failed", "known", "is_settled"),
    [
        pytest.param(run("refused"), day("processed"), True, id="taken back"),
        pytest.param(run("refused"), day("refused"), False, id="still refused"),
        pytest.param(run("held"), day("held"), False, id="still held"),
        pytest.param(run("held"), day("published"), True, id="approved and published"),
        pytest.param(
            run("failed"),
            day("processed", run_id="r2", built_at=NOW.replace(tzinfo=None)),
            True,
            id="another run built it since",
        ),
        pytest.param(
            run("failed"),
            day("processed", run_id="r2", built_at=(NOW - 2 * HOUR).replace(tzinfo=None)),
            False,
            id="only an earlier run built it",
        ),
        pytest.param(
            run("failed"),
            day("processed", run_id="r1", built_at=NOW.replace(tzinfo=None)),
            False,
            id="built, and then it failed",
        ),
    ],
)
def test_what_was_put_right_by_other_means_is_over(
    failed: FinishedRun, known: DayOverview, is_settled: bool
) -> None:
    assert bool(settled([failed], [known])) is is_settled


def test_three_hundred_failed_days_are_three_hundred_alerts_of_one_name() -> None:
    """So that Alertmanager makes one message of them."""
    dates = [D1 - dt.timedelta(days=n) for n in range(300)]
    alerts = find_alerts(Observed(NOW, runs=[replace(run(), as_of_date=date) for date in dates]))

    assert len(alerts) == 300
    assert {alert.name for alert in alerts} == {"RunFailed"}


@pytest.mark.parametrize("kind", ["failure", "quality", "service"])
def test_each_kind_of_alert_is_raised_by_something(kind: str) -> None:
    observed = Observed(
        NOW,
        runs=[run()],
        checks=[CheckState("t", "c", passed=False, is_blocking=False)],
        daemons={"SENSOR": NOW - HOUR},
    )
    raised: list[Alert] = find_alerts(observed)

    assert kind in {alert.kind for alert in raised}
