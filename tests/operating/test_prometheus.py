"""The rules that we deliver, and what promtool and Prometheus say of them."""

import json
import re
import subprocess

import pytest
import yaml

from lending_club_pipeline.operating.conditions import ALERT_NAMES
from lending_club_pipeline.operating.measurements import MEASUREMENTS
from tests.operating.programs import DEPLOY, program

RULES = DEPLOY / "prometheus" / "rules.yml"
TESTS = ("rules_test.yml", "performance_test.yml")
DASHBOARD = json.loads((DEPLOY / "dashboards" / "lending_club.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
RULE_LIST = [
    rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
]


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("check", "config", "prometheus.yml"), id="configuration"),
        pytest.param(("test", "rules", *TESTS), id="rules"),
    ],
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [program("promtool"), *arguments],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_that_alerts_is_tested() -> None:
    files = [yaml.safe_load((RULES.parent / name).read_text()) for name in TESTS]
    tests = [test for file in files for test in file["tests"]]
    tested = {case["alertname"] for test in tests for case in test["alert_rule_test"]}

    # The last one is about Alertmanager's own counter.
    assert {rule["alert"] for rule in RULE_LIST if "alert" in rule} - tested == {"MessagesNotTaken"}


def test_rules_and_dashboard_name_what_is_measured() -> None:
    measured = {it.prometheus_name for it in MEASUREMENTS}
    recorded = {rule["record"] for rule in RULE_LIST if "record" in rule}
    text = " ".join([*EXPRESSIONS, *(rule["expr"] for rule in RULE_LIST)])
    named = set(re.findall(r"lending_club[:_][a-z0-9_:]+", text))

    assert named - measured - recorded == set()
    assert measured - named == set(), "measured, and shown nowhere"


def test_the_product_and_prometheus_use_one_name_for_one_thing() -> None:
    """`DaemonSilent` is found by both: by the other daemons, and from outside."""
    by_rules = {rule["alert"] for rule in RULE_LIST if "alert" in rule}

    assert by_rules & set(ALERT_NAMES) == {"DaemonSilent"}
