"""Send one alert of each kind, to see its receivers: `lending-club alerts test`."""

import datetime as dt
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lending_club_pipeline.config import clock
from lending_club_pipeline.operating.alertmanager import Posted, post, receivers, sent, to_post
from lending_club_pipeline.operating.conditions import find_alerts
from lending_club_pipeline.operating.facts import CheckState, FinishedRun, Observed, WatcherState
from lending_club_pipeline.runs.reports import Outcome

_TEST: Final = "test"
_POLL_SECONDS: Final = 1.0


@dataclass(frozen=True)
class Rehearsal:
    """Result of the test alerts.

    Attributes:
        receivers: receivers by name of the alert.
        messages: how many messages were sent and how many failed, by kind of receiver.
    """

    receivers: Mapping[str, list[str]]
    messages: Mapping[str, tuple[int, int]]

    @property
    def failed(self) -> bool:
        """Whether an alert has no receiver, a message was not taken, or no message was sent."""
        return (
            not self.messages
            or any(failures for _, failures in self.messages.values())
            or not all(self.receivers.values())
        )


def rehearse(
    address: str, dagster_url: str, seconds: float, on_message: Callable[[str], None]
) -> Rehearsal:
    """Send Alertmanager one alert of each kind, read the receivers, and end the alerts.

    Args:
        address: of Alertmanager.
        dagster_url: address of Dagster's pages.
        seconds: how long to wait for messages.
        on_message: called with a text about the current step.

    Raises:
        ServiceError: Alertmanager cannot be reached.
    """
    now = clock.now()
    alerts = [_as_test(alert, now) for alert in to_post(find_alerts(_examples(now)), dagster_url)]
    before = sent(address)
    on_message(f"Sending {len(alerts)} test alerts")
    post(address, now, alerts, [])
    try:
        told = receivers(address, f'{_TEST}="{now:%H%M%S}"')
        on_message("Waiting for messages to be sent")
        messages = _wait(address, before, seconds)
    finally:
        post(address, clock.now(), [], alerts)
    return Rehearsal(
        {it.labels["alertname"]: told.get(it.labels["alertname"], []) for it in alerts}, messages
    )


def _wait(
    address: str, before: Mapping[str, tuple[int, int]], seconds: float
) -> dict[str, tuple[int, int]]:
    """Return the messages since then, once no message was added for a third of the time."""
    deadline = time.monotonic() + seconds
    found: dict[str, tuple[int, int]] = {}
    changed_at = time.monotonic()
    while time.monotonic() < deadline:
        after = {}
        for name, (messages, failures) in sent(address).items():
            known = before.get(name, (0, 0))
            if (messages, failures) != known:
                after[name] = (messages - known[0], failures - known[1])
        if after != found:
            found, changed_at = after, time.monotonic()
        if found and time.monotonic() - changed_at > seconds / 3:
            break
        time.sleep(_POLL_SECONDS)
    return found


def _as_test(alert: Posted, now: dt.datetime) -> Posted:
    text = {**alert.annotations, "summary": f"This is a test. {alert.annotations['summary']}"}
    return replace(alert, labels={**alert.labels, _TEST: f"{now:%H%M%S}"}, annotations=text)


def _examples(now: dt.datetime) -> Observed:
    """Return facts that raise every alert."""
    days = [now.date() - dt.timedelta(days=n) for n in range(4)]
    outcomes: tuple[Outcome, ...] = ("failed", "refused", "held")
    return Observed(
        now,
        runs=[
            FinishedRun("process_delivery", day, "", it, f"The run of {day} was {it}.", now)
            for day, it in zip(days, outcomes, strict=False)
        ],
        due=[days[3]],
        checks=[CheckState("account_summary", "a_check", passed=False, is_blocking=False)],
        watchers=[WatcherState("new_delivery_sensor", "A test.", now)],
        daemons={"SENSOR": now - dt.timedelta(hours=1)},
    )
