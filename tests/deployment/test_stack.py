"""The four services on a real Docker engine do what docs/docker.md promises."""

import json
import time
from pathlib import Path

import pytest

from tests.deployment.engine import docker
from tests.deployment.stack import ENDED, SERVICES, Stack

pytestmark = pytest.mark.docker

_OURS = SERVICES[:3]
_DAY = "2026-11-01"


def test_only_the_web_page_is_published_and_on_loopback_alone(stack: Stack) -> None:
    for service in SERVICES:
        ports = json.loads(
            docker(
                "inspect", "--format", "{{json .NetworkSettings.Ports}}", stack.container(service)
            )
        )
        bound = {(it["HostIp"], it["HostPort"]) for them in ports.values() for it in them or ()}
        assert bound == (
            {("127.0.0.1", str(stack.port))} if service == "dagster-webserver" else set()
        )


@pytest.mark.parametrize("service", _OURS)
def test_containers_have_no_rights_to_lose(stack: Stack, service: str) -> None:
    assert stack.execute(service, "id", "-u") == "10001"
    assert "0000000000000000" in stack.execute(service, "grep", "CapEff", "/proc/1/status")
    assert stack.execute(service, "sh", "-c", "touch /x 2>&1 || true").endswith(
        "Read-only file system"
    )


def test_no_password_is_in_the_file_or_in_what_docker_shows(stack: Stack) -> None:
    password = stack.execute("dagster-daemon", "cat", "/run/secrets/dagster_postgres_password")
    assert len(password) == 32
    for service in SERVICES:
        assert password not in docker("inspect", stack.container(service))
    assert password not in stack.execute("dagster-daemon", "cat", "/dagster/dagster.yaml")


def test_a_delivery_dropped_into_the_folder_is_processed(stack: Stack, sample: Path) -> None:
    stack.settle(sample, _DAY)

    runs = [
        it
        for it in stack.runs().values()
        if {"key": "dagster/sensor_name", "value": "new_delivery_sensor"} in it["tags"]
    ]
    assert {"key": "dagster/partition", "value": _DAY} in runs[-1]["tags"]
    assert runs[-1]["status"] == "SUCCESS"
    assert len(stack.output("account_summary.csv").splitlines()) == 574


def test_a_run_launched_from_the_web_page_completes(stack: Stack, sample: Path) -> None:
    stack.settle(sample, _DAY)

    run_id = stack.launch(_DAY)

    assert stack.expect_status(run_id, ENDED, 600) == "SUCCESS"


def test_commands_in_a_service_know_its_settings_and_its_history(
    stack: Stack, sample: Path
) -> None:
    stack.settle(sample, _DAY)

    # It ends with 1 while a sensor has not looked again since a restart.
    told = "lending-club status --json || true"
    status = json.loads(stack.execute("dagster-user-code", "sh", "-c", told))
    doctor = stack.execute("dagster-user-code", "lending-club", "doctor")

    assert [(day["as_of_date"], day["status"]) for day in status["days"]] == [(_DAY, "published")]
    assert "dagster@postgres:5432/dagster, PostgreSQL" in doctor


def test_the_pages_show_runs_daemons_and_tables(stack: Stack, sample: Path) -> None:
    stack.settle(sample, _DAY)

    assert _DAY in stack.page("/runs", "runs")
    assert stack.page("/health", "daemons").count(">Running<") == 6
    assert "new_balance" in stack.page("/assets/account_summary", "account_summary")
    assert "reference_data" in stack.page("/asset-groups", "lineage")


def test_nothing_is_lost_when_the_services_go_down_and_come_up(stack: Stack, sample: Path) -> None:
    stack.settle(sample, _DAY)
    before = {run_id: run["status"] for run_id, run in stack.runs().items()}
    summary = stack.output("account_summary.csv")

    stack.down()
    stack.up()

    assert stack.output("account_summary.csv") == summary
    # The sensor remembers what it took: it looks again, and starts nothing.
    time.sleep(90)
    assert {run_id: run["status"] for run_id, run in stack.runs().items()} == before
