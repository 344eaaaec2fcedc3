"""Alerts, from a run of the pipeline to those who are told, by a real Alertmanager."""

import datetime as dt
import json
import subprocess
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest

from lending_club_pipeline.contract.errors import ServiceError
from lending_club_pipeline.operating.alertmanager import post, to_post
from lending_club_pipeline.operating.conditions import find_alerts
from lending_club_pipeline.operating.facts import FinishedRun, Observed
from tests.operating.alertmanagers import CONFIGURATION, TEMPLATES, Alertmanager
from tests.operating.programs import program, wait_for
from tests.operating.watchmen import Watchman
from tests.workspaces import Workspace

CANARY = "Zebulon Canaryworth"
NOW = dt.datetime(2026, 3, 9, 12, tzinfo=dt.UTC)


@pytest.mark.operations
def test_a_refused_delivery_is_told_with_its_own_line_and_is_over_after_a_good_run(
    workspace: Workspace, manager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTMANAGER_URL", manager.url)
    for name, value in workspace.environment().items():
        if name in ("INPUT_PATH", "OUTPUT_PATH", "DUCKDB_PATH", "DAGSTER_HOME"):
            monkeypatch.setenv(name, value)
    workspace.deliver(f"1,{CANARY},Yes\n2,,No\n".encode(), b"AccountID\nA\n")
    assert workspace.run().outcome == "refused"
    watchman = Watchman(workspace, manager.url)

    watchman.look()
    watchman.look()
    wait_for(lambda: manager.pages and manager.chats, 30, "a page and a chat")

    (page,), (chat,) = manager.pages, manager.chats
    assert page["event_action"] == "trigger"
    assert "DeliveryRefused" in chat
    assert "Customer.csv, line 1" in chat
    assert "/runs/" in chat
    assert not manager.mails.messages

    workspace.deliver(f"1,{CANARY},Yes\n2,,No\n", "A,1,100.00,Savings\n")
    assert workspace.run().outcome == "success"
    watchman.look()
    wait_for(lambda: len(manager.pages) == 2 and manager.mails.messages, 30, "the end of it")

    assert manager.pages[1]["event_action"] == "resolve"
    wait_for(lambda: any("It is over" in it for it in manager.chats), 30, "a chat")
    assert any("It is over" in it and "Customer.csv" in it for it in manager.chats)
    # The good run brought a warning: a customer without a name.
    subject, text = manager.mails.messages[0]
    assert subject == "CheckFailed"
    assert "customers_have_a_name" in text
    said = f"{manager.hooks.posts}{manager.mails.messages}{watchman.cursor}"
    assert CANARY not in said


def test_a_look_fails_while_alertmanager_is_away_so_that_it_is_repeated() -> None:
    before = to_post(_failed(3), "http://localhost:3000")

    with pytest.raises(ServiceError, match="cannot be reached"):
        post("http://127.0.0.1:1", NOW, before, [])


def _failed(days: int) -> list:
    now = dt.datetime.now(dt.UTC)
    dates = [now.date() - dt.timedelta(days=n) for n in range(days)]
    return find_alerts(
        Observed(
            now,
            runs=[FinishedRun("process_delivery", it, "r1", "failed", "Why.", now) for it in dates],
        )
    )


def test_a_storm_of_three_hundred_failed_days_is_one_message_to_each(manager: Alertmanager) -> None:
    storm = to_post(_failed(300), "http://localhost:3000")
    for _ in range(4):
        post(manager.url, dt.datetime.now(dt.UTC), storm, storm)
    wait_for(lambda: manager.pages and manager.chats, 30, "a page and a chat")

    post(manager.url, dt.datetime.now(dt.UTC), [], storm)
    wait_for(lambda: len(manager.pages) > 1 and len(manager.chats) > 1, 30, "the end of it")

    assert [page["event_action"] for page in manager.pages] == ["trigger", "resolve"]
    assert [chat.splitlines()[0] for chat in manager.chats] == [
        "RunFailed (300)",
        "Over: RunFailed (300)",
    ]


def test_what_is_told_is_the_same_alert_when_it_is_told_again(manager: Alertmanager) -> None:
    alerts = to_post(_failed(1), "http://localhost:3000")
    for _ in range(3):
        post(manager.url, dt.datetime.now(dt.UTC), alerts, alerts)
    wait_for(lambda: manager.chats and manager.pages, 30, "a page and a chat")
    post(manager.url, dt.datetime.now(dt.UTC), alerts, alerts)

    assert len(manager.chats) == len(manager.pages) == 1


def test_an_alert_without_a_begin_began_when_it_was_told_first(manager: Alertmanager) -> None:
    alerts = [replace(it, since="") for it in to_post(_failed(1), "http://localhost:3000")]
    first = dt.datetime.now(dt.UTC)
    for seconds in (0, 15):
        post(manager.url, first + dt.timedelta(seconds=seconds), alerts, alerts)

    with urllib.request.urlopen(f"{manager.url}/api/v2/alerts") as answer:
        (told,) = json.load(answer)
    assert abs(dt.datetime.fromisoformat(told["startsAt"]) - first) < dt.timedelta(seconds=1)


@pytest.mark.operations
def test_the_command_says_who_is_told_and_what_was_taken(
    workspace: Workspace, manager: Alertmanager
) -> None:
    done = workspace.command("alerts", "test", "--wait", "30", ALERTMANAGER_URL=manager.url)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "DeliveryHeld: email, slack" in done.stdout
    assert "RunFailed: pagerduty, slack" in done.stdout
    assert "no receiver" not in done.stdout
    assert all(f"{it}: " in done.stdout for it in ("email", "pagerduty", "slack"))
    assert "not taken" not in done.stdout
    assert any("This is a test." in text for _, text in manager.mails.messages)


@pytest.mark.operations
def test_the_command_says_that_a_receiver_takes_nothing(
    workspace: Workspace, manager: Alertmanager
) -> None:
    manager.hooks.answer = 400

    done = workspace.command("alerts", "test", "--wait", "15", ALERTMANAGER_URL=manager.url)

    assert done.returncode == 1
    assert "not taken" in done.stdout


def test_without_alertmanager_the_command_says_what_to_set(workspace: Workspace) -> None:
    done = workspace.command("alerts", "test")

    assert done.returncode == 2
    assert "ALERTMANAGER_URL is not set" in done.stderr


def test_the_delivered_configuration_is_one_that_alertmanager_takes(tmp_path: Path) -> None:
    text = CONFIGURATION.read_text().replace("/etc/alertmanager/*.tmpl", str(TEMPLATES))
    file = tmp_path / "alertmanager.yml"
    file.write_text(text)

    done = subprocess.run(
        [program("amtool"), "check-config", str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
