"""Send alerts to Alertmanager: they last until a message ends them.

Alertmanager groups, silences, routes and repeats; https://prometheus.io/docs/alerting/latest/alerts_api/.
"""

import datetime as dt
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lending_club_pipeline.contract.errors import ServiceError
from lending_club_pipeline.operating.conditions import Alert

# An alert that is not sent again ends after a day: a process that died cannot end it.
_LASTS: Final = dt.timedelta(days=1)
_SECONDS: Final = 10.0
_ALERTS: Final = "/api/v2/alerts"
_FAILED: Final = "alertmanager_notifications_failed_total"


@dataclass(frozen=True)
class Posted:
    """An alert as it was sent to Alertmanager.

    Attributes:
        labels: labels that identify it.
        annotations: texts for people.
        url: its link.
        since: when it began, as ISO text; empty if it is not known.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    url: str
    since: str = ""

    @property
    def identity(self) -> tuple[tuple[str, str], ...]:
        """Its labels, to compare."""
        return tuple(sorted(self.labels.items()))

    def as_body(self, now: dt.datetime, ends_at: dt.datetime) -> dict[str, Any]:
        """Return the body that Alertmanager expects.

        Args:
            now: its start if `since` is not known; Alertmanager keeps the earliest.
            ends_at: when it ends if it is not sent again.
        """
        return {
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "generatorURL": self.url,
            "startsAt": self.since or now.isoformat(),
            "endsAt": ends_at.isoformat(),
        }


def to_post(alerts: Iterable[Alert], dagster_url: str) -> list[Posted]:
    """Convert alerts to Alertmanager's form.

    Args:
        alerts: the open alerts.
        dagster_url: address of Dagster's pages.
    """
    return [_posted(alert, dagster_url) for alert in alerts]


def _posted(alert: Alert, dagster_url: str) -> Posted:
    url = alert.link(dagster_url)
    annotations = {"summary": alert.summary, "remedy": alert.remedy, "link": url}
    return Posted(
        alert.labels, annotations, url, "" if alert.since is None else alert.since.isoformat()
    )


def post(address: str, now: dt.datetime, open_: Sequence[Posted], before: Iterable[Posted]) -> int:
    """Send the open alerts, and end those that were sent before and are over.

    Args:
        address: of Alertmanager.
        now: the current time.
        open_: the open alerts.
        before: the alerts that were sent before, with the texts that messages of recovery show.

    Returns:
        How many alerts have ended.

    Raises:
        ServiceError: it cannot be reached, or refuses them. Send them again.
    """
    lasting = {alert.identity for alert in open_}
    ended = [alert for alert in before if alert.identity not in lasting]
    bodies = [alert.as_body(now, now + _LASTS) for alert in open_]
    bodies += [alert.as_body(now, now) for alert in ended]
    if bodies:
        call(address + _ALERTS, bodies)
    return len(ended)


def receivers(address: str, filter_: str) -> dict[str, list[str]]:
    """Return the receivers of each open alert, by the alert's name.

    Args:
        address: of Alertmanager.
        filter_: which alerts, such as `test="true"`.

    Raises:
        ServiceError: it cannot be reached.
    """
    query = urllib.parse.urlencode({"filter": filter_})
    found = json.loads(call(f"{address}{_ALERTS}?{query}"))
    receivers_of: dict[str, list[str]] = {}
    for alert in found:
        names = [it["name"] for it in alert["receivers"]]
        receivers_of.setdefault(alert["labels"]["alertname"], []).extend(names)
    return receivers_of


def sent(address: str) -> dict[str, tuple[int, int]]:
    """Return how many messages Alertmanager has sent, and how many failed, by kind of receiver.

    Args:
        address: of Alertmanager.

    Raises:
        ServiceError: it cannot be reached.
    """
    counts: dict[str, tuple[int, int]] = {}
    for line in call(f"{address}/metrics").decode().splitlines():
        name, _, rest = line.partition("{")
        if name not in ("alertmanager_notifications_total", _FAILED):
            continue
        integration = rest.partition('integration="')[2].partition('"')[0]
        number = int(float(rest.rpartition(" ")[2]))
        attempts, failures = counts.get(integration, (0, 0))
        # A newer Alertmanager counts failures by reason, on several lines.
        counts[integration] = (
            (attempts, failures + number) if name == _FAILED else (attempts + number, failures)
        )
    return {name: (total - failed, failed) for name, (total, failed) in counts.items() if total}


def call(url: str, body: object = None) -> bytes:
    """Send a request, with a JSON body if given; return the answer.

    Args:
        url: with http:// or https://.
        body: body to post, if given.

    Raises:
        ServiceError: there is no answer, or the answer is an error.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the settings allow http and https alone
        url, data, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310 - as above
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        said = error.read(500).decode(errors="replace")
        raise ServiceError(f"{url} answered {error.code}: {' '.join(said.split())}") from None
    except OSError as error:
        raise ServiceError(
            f"{url} cannot be reached ({error}). Start Alertmanager, or correct ALERTMANAGER_URL."
        ) from None
