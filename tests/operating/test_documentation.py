"""docs/operations.md names every alert and measurement that there is, and no other."""

import re

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


def test_every_kind_of_alert_has_a_route() -> None:
    configuration = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    routes = configuration["route"]["routes"]
    matched = {matcher for route in routes for matcher in route["matchers"]}

    kinds = ("failure", "quality", "service", "performance")
    assert {f'kind="{kind}"' for kind in kinds} <= matched
