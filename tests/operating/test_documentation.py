"""docs/operations.md names every alert and measurement that there is, and no other."""

import json
import re

import pytest
import yaml

from lending_club_pipeline.operating.conditions import ALERT_NAMES
from lending_club_pipeline.operating.measurements import MEASUREMENTS
from tests.operating.programs import DEPLOY

PAGE = (DEPLOY.parent / "docs" / "operations.md").read_text()


def test_every_alert_is_explained() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    found = {
        rule["alert"] for group in rules["groups"] for rule in group["rules"] if "alert" in rule
    }

    explained = re.findall(
        r"^\| `([A-Z]\w+)` \| (?:failure|quality|service|perf)", PAGE, re.MULTILINE
    )
    assert set(explained) == {*ALERT_NAMES, *found}


def test_every_measurement_stands_in_the_table_as_it_is_defined() -> None:
    for it in MEASUREMENTS:
        labels = ", ".join(it.labels) or "-"
        line = f"| `{it.prometheus_name}` | {it.unit} | {labels} | {it.meaning} | {it.bad} |"
        assert line in PAGE

    listed = re.findall(r"^\| `(lending_club_\w+)` \|", PAGE, re.MULTILINE)
    assert listed == [it.prometheus_name for it in MEASUREMENTS]


def queries(dashboard: str) -> dict[str, list[str]]:
    """Return the queries of a vendor's dashboard by the title of their widget."""
    content = json.loads((DEPLOY / "dashboards" / dashboard).read_text())
    if dashboard == "datadog.json":
        widgets = [it["definition"] for it in content["widgets"]]
        return {
            it["title"]: [query["query"] for ask in it["requests"] for query in ask["queries"]]
            for it in widgets
        }
    widgets = [it for page in content["pages"] for it in page["widgets"]]
    return {
        it["title"]: [query["query"] for query in it["rawConfiguration"]["nrqlQueries"]]
        for it in widgets
    }


@pytest.mark.parametrize("dashboard", ["datadog.json", "newrelic.json"])
def test_dashboards_of_vendors_ask_for_what_is_pushed(dashboard: str) -> None:
    labels = {it.name: it.labels for it in MEASUREMENTS}
    asked = [query for found in queries(dashboard).values() for query in found]

    used = set()
    for query in asked:
        (name,) = re.findall(r"lending_club[.\w]+", query)
        used.add(name)
        by = re.findall(r"by \{(.+)\}|FACET ([\w, ]+?)(?:\)| TIMESERIES| LIMIT|$)", query)
        words = {word.strip() for pair in by for it in pair for word in it.split(",") if it}
        assert words <= set(labels[name]), query
    # What says that nothing could be read is no panel there.
    assert {name for name in labels if not name.endswith(".unreadable")} == used


def test_dashboards_of_vendors_show_the_same() -> None:
    assert queries("datadog.json").keys() == queries("newrelic.json").keys()


def test_every_kind_of_alert_has_a_route() -> None:
    configuration = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    routes = configuration["route"]["routes"]
    matched = {matcher for route in routes for matcher in route["matchers"]}

    kinds = ("failure", "quality", "service", "performance")
    assert {f'kind="{kind}"' for kind in kinds} <= matched
