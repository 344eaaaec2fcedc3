"""What goes wrong around alerts: how many messages, when, with what words."""

import datetime as dt
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from lending_club_pipeline.config import clock
from lending_club_pipeline.operating.alertmanager import post, to_post
from lending_club_pipeline.operating.conditions import find_alerts
from lending_club_pipeline.operating.facts import FinishedRun, Observed
from tests.operating.alertmanagers import QUICK, Alertmanager, alertmanager
from tests.operating.programs import DEPLOY, answers, free_port, program, started, wait_for
from tests.operating.watchmen import Watchman
from tests.operating.webservers import daemon
from tests.workspaces import Workspace

pytestmark = pytest.mark.operations
CANARY = "Zebulon Canaryworth"
# A week in half a minute: twelve hours are two seconds.
HALF_A_DAY = 2.0
WEEK = 14 * HALF_A_DAY


def _failed_today() -> list[Any]:
    now = dt.datetime.now(dt.UTC)
    run = FinishedRun("process_delivery", now.date(), "r1", "failed", "The disk is full.", now)
    return to_post(find_alerts(Observed(now, runs=[run])), "http://localhost:3000")


def _tell(manager: Alertmanager, alerts: list[Any], before: list[Any]) -> None:
    post(manager.url, dt.datetime.now(dt.UTC), alerts, before)


def test_receivers_that_were_down_are_told_once_when_they_are_back(manager: Alertmanager) -> None:
    alerts = _failed_today()
    manager.hooks.answer = 503
    _tell(manager, alerts, [])
    wait_for(lambda: len(manager.pages) > 1 and len(manager.chats) > 1, 60, "tries")

    manager.hooks.posts.clear()
    manager.hooks.answer = 202
    wait_for(lambda: manager.pages and manager.chats, 60, "messages")
    time.sleep(5)

    assert [page["event_action"] for page in manager.pages] == ["trigger"]
    assert [chat.splitlines()[0] for chat in manager.chats] == ["RunFailed"]
    assert "The disk is full." in manager.chats[0]


def test_a_failure_that_ends_while_receivers_are_down_ends_there_too(manager: Alertmanager) -> None:
    alerts = _failed_today()
    _tell(manager, alerts, [])
    wait_for(lambda: manager.pages and manager.chats, 60, "messages")
    manager.hooks.answer = 503
    _tell(manager, [], alerts)
    wait_for(lambda: len(manager.pages) > 2, 60, "tries")

    manager.hooks.posts.clear()
    manager.hooks.answer = 202
    wait_for(lambda: manager.pages and manager.chats, 60, "the end of it")

    assert [page["event_action"] for page in manager.pages] == ["resolve"]
    assert manager.chats[0].startswith("Over: RunFailed")


def test_a_failure_of_a_week_is_told_twice_a_day_and_its_end_once(tmp_path: Path) -> None:
    alerts = _failed_today()
    pauses = {**QUICK, "repeat_interval": f"{HALF_A_DAY:g}s"}
    with alertmanager(tmp_path, pauses) as manager:
        _tell(manager, alerts, [])
        wait_for(lambda: manager.chats, 30, "a chat")
        until = time.monotonic() + WEEK
        while time.monotonic() < until:
            # As the sensor does, many times between two messages.
            _tell(manager, alerts, alerts)
            time.sleep(0.5)
        told = len(manager.chats)
        _tell(manager, [], alerts)
        wait_for(lambda: manager.chats[-1].startswith("Over"), 30, "the end of it")
        time.sleep(3)

    # The first one, and no more than one each half a day; pauses are counted in whole seconds.
    assert 6 <= told <= 15
    assert {chat.splitlines()[0] for chat in manager.chats[:-1]} == {"RunFailed"}
    # All of it is one incident.
    assert len({page["dedup_key"] for page in manager.pages}) == 1
    assert [it["event_action"] for it in manager.pages].count("resolve") == 1


def test_a_held_delivery_is_told_by_mail_and_chat(
    workspace: Workspace, manager: Alertmanager
) -> None:
    next_day = dt.date(2026, 2, 1)
    workspace.deliver(f"1,{CANARY},Yes\n", "A,1,100.00,Savings\n")
    assert workspace.run().outcome == "success"
    workspace.deliver(f"1,{CANARY},Yes\n", "A,1,100.00,Savings\nB,1,1.00,Savings\n", next_day)
    assert workspace.run(next_day, movement_limits="accounts=5").outcome == "held"
    watchman = Watchman(workspace, manager.url)

    watchman.look()
    wait_for(lambda: manager.mails.messages and manager.chats, 60, "a mail and a chat")

    (subject, text), (chat,) = manager.mails.messages[0], manager.chats
    assert subject == "DeliveryHeld"
    assert chat.startswith("DeliveryHeld")
    for said in (text, chat):
        assert "2026-02-01" in said
        assert "accounts +100.00 % (limit 5 %)" in said
        assert "lending-club approve" in said
    assert not manager.pages
    assert CANARY not in f"{manager.hooks.posts}{manager.mails.messages}{watchman.cursor}"


def test_a_late_delivery_is_told_and_over_when_it_was_processed(
    workspace: Workspace, manager: Alertmanager
) -> None:
    today = clock.now().date()
    yesterday, before = (today - dt.timedelta(days=it) for it in (1, 2))
    workspace.deliver("1,Ada,Yes\n", "A,1,100.00,Savings\n", before)
    assert workspace.run(before).outcome == "success"
    # Due at the end of its own day.
    watchman = Watchman(workspace, manager.url, delivery_deadline="00:00+1")

    watchman.look()
    wait_for(lambda: manager.pages and manager.chats, 60, "a page and a chat")
    assert manager.chats[0].startswith("DeliveryLate")
    assert yesterday.isoformat() in manager.chats[0]

    workspace.deliver("1,Ada,Yes\n", "A,1,100.00,Savings\n", yesterday)
    assert workspace.run(yesterday).outcome == "success"
    watchman.look()
    wait_for(lambda: len(manager.pages) > 1, 60, "the end of it")

    assert [page["event_action"] for page in manager.pages] == ["trigger", "resolve"]


def test_a_failure_is_told_within_a_minute_and_a_daemon_that_dies_ends_nothing(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "alertmanager"
    folder.mkdir()
    # With the pauses that we deliver.
    with alertmanager(folder, {}) as manager:
        monkeypatch.setenv("ALERTMANAGER_URL", manager.url)
        workspace.deliver("1,Ada,Yes\n", b"AccountID\nA\n")
        with daemon(workspace) as process:
            log = workspace.root / "daemon.log"
            wait_for(
                lambda: "Checking for new runs for sensor: alerts" in log.read_text(), 240, "it"
            )
            assert workspace.run().outcome == "refused"
            failed_at = time.monotonic()
            wait_for(lambda: manager.pages and manager.chats, 120, "messages")
            took = time.monotonic() - failed_at
            process.kill()
            process.wait()
        assert took < 60, f"{took:.0f} s"
        time.sleep(20)

        assert [page["event_action"] for page in manager.pages] == ["trigger"]
        assert len(manager.chats) == 1


def test_an_exporter_that_dies_is_told_and_over_when_it_is_back(
    workspace: Workspace, manager: Alertmanager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, here = free_port(), free_port()
    for name, value in workspace.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("METRICS_PORT", str(port))
    url = f"http://127.0.0.1:{port}/metrics"
    exporter = [sys.executable, "-m", "lending_club_pipeline", "metrics"]
    command = [
        program("prometheus"),
        f"--config.file={_prometheus(tmp_path, port, manager)}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{here}",
    ]
    ready = answers(f"http://127.0.0.1:{here}/-/ready")
    with started(exporter, answers(url), workspace.root / "metrics.log", 240) as process:
        stack = started(command, ready, tmp_path / "prometheus.log")
        with stack:
            time.sleep(5)
            assert not manager.chats
            process.kill()
            process.wait()
            wait_for(lambda: manager.chats and manager.pages, 60, "a page and a chat")
            assert manager.chats[0].startswith("NobodyWatches")
            assert "lending-club metrics does not answer" in manager.chats[0]

            with started(exporter, answers(url), workspace.root / "again.log", 240):
                wait_for(lambda: len(manager.pages) > 1, 60, "the end of it")
            assert [it["event_action"] for it in manager.pages][:2] == ["trigger", "resolve"]


def _prometheus(folder: Path, port: int, manager: Alertmanager) -> Path:
    """Write the delivered configuration, in which minutes are seconds."""
    rules = yaml.safe_load((DEPLOY / "prometheus" / "rules.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = rule["for"].replace("m", "s")
    (folder / "rules.yml").write_text(yaml.safe_dump(rules))
    settings = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    hosts = {
        "metrics:9464": f"127.0.0.1:{port}",
        "alertmanager:9093": manager.url.removeprefix("http://"),
    }
    text = yaml.safe_dump(settings)
    for name, value in hosts.items():
        text = text.replace(name, value)
    file = folder / "prometheus.yml"
    file.write_text(text)
    return file
