"""One story of runs that are killed, refused and disturbed, each of which the next one survives.

The runs share a schema. Those that are killed share a machine, which is lost then with all that lay
on its disk; the others take place on another one. The last one processes a delivery with every kind
of dirt, and must end as an undisturbed run on the other engine does, and as the oracle says.
"""

import csv
import io
import itertools
import json
import re
import signal
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from databricks_stand_in.client import new_client
from lending_club_pipeline.present.terminal import print_parity
from tests.databricks.interrupted_runs import IN_ANY_CASE, KILLS, LOST, Story, tell_story
from tests.databricks.killing import command
from tests.databricks.pipelines import files_in_volume

# Each statement is a round trip, for which a warehouse is billed; docs/performance.md says which
# are left. The lease does not count, which a slow machine renews more often, nor does it to list
# and remove what the killed run has uploaded.
MOST_OF_A_FIRST_RUN, MOST_OF_A_DAY = 120, 99
NOT_COUNTED = re.compile(r"^(?:update \S*`pipeline_lease`|remove '|list '[^']*/[0-9a-f]{32}[/'])")


@pytest.fixture(scope="module")
def story(
    warehouse_environment: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    prepared_dbt: Path,
    request: pytest.FixtureRequest,
) -> Iterator[Story]:
    """Run all of it once."""
    folders = tmp_path_factory.mktemp("lost"), tmp_path_factory.mktemp("story")
    is_exhaustive = bool(request.config.getoption("exhaustive"))
    with new_client(warehouse_environment, "story") as client:
        yield tell_story(client, *folders, prepared_dbt, is_exhaustive=is_exhaustive)


def _rows(file: bytes) -> list[tuple[Any, ...]]:
    """Return the rows of `account_summary.csv` as the serving table has them."""
    return [
        (
            int(row["customer_id"]),
            row["account_id"],
            *(Decimal(row[it]) for it in ("original_balance", "annual_interest", "new_balance")),
        )
        for row in csv.DictReader(io.StringIO(file.decode()))
    ]


NEW_BEFORE_RESTATEMENT = {
    "A1": Decimal("100.00"),
    "A2": Decimal("15000.10"),
    "A3": Decimal("20000.55"),
}


@pytest.mark.parametrize(
    "moment",
    [pytest.param(it, marks=[] if it in IN_ANY_CASE else [pytest.mark.exhaustive]) for it in KILLS],
)
def test_readers_of_a_killed_run_see_the_old_state_or_the_new_one(
    story: Story, moment: str
) -> None:
    step = story.killed[moment]

    assert step.ended.returncode == -signal.SIGKILL, step.ended.stderr
    if moment == "before the verification":
        assert {row[1]: row[2] for row in step.seen} == NEW_BEFORE_RESTATEMENT
    else:
        assert step.seen == story.old


def test_an_expired_token_ends_a_run_at_once_with_what_to_do(story: Story) -> None:
    assert story.refused is not None
    assert story.refused.ended.returncode == 1
    failed = [it for it in story.refused.ended.stderr.splitlines() if it.startswith("Failed: ")]
    assert len(failed) == 1
    assert "the sign-in was refused. Renew DATABRICKS_TOKEN" in failed[0]
    assert story.refused.seen == [*story.killed.values()][-1].seen


def test_a_disturbed_run_after_all_that_equals_an_undisturbed_one(story: Story) -> None:
    assert story.last is not None
    assert story.last.ended.returncode == 0, story.last.ended.stderr
    assert story.struck == [1] * (2 + len(LOST))
    assert story.files == story.undisturbed
    assert story.last.seen == _rows(story.undisturbed["account_summary.csv"])
    assert len(story.last.seen) > 100


def test_every_model_then_has_the_rows_and_types_of_the_undisturbed_engine(
    story: Story, capsys: pytest.CaptureFixture[str]
) -> None:
    assert story.parity is not None
    print_parity(story.parity)
    assert {it.name for it in story.parity.models} >= {
        *("customers_raw", "accounts_raw", "rejected_records", "delivered_files"),
        *("base_customers", "base_accounts", "stg_customers__cleaned", "stg_accounts__cleaned"),
        *("account_summary", "account_summary_daily", "account_history", "customer_history"),
        *("delivery_ledger", "quarantined_records", "delivery_changes", "delivery_movements"),
    }
    assert [it.name for it in story.parity.models if not it.is_equal] == [], capsys.readouterr().out


def test_what_it_publishes_is_what_the_oracle_says(story: Story) -> None:
    assert story.right is not None
    assert story.files["account_summary.csv"] == story.right.account_summary_csv
    assert story.files["quarantine.csv"] == story.right.quarantine_csv


def test_no_file_of_an_upload_is_left_behind(story: Story) -> None:
    kept = files_in_volume(story.client)

    assert len(kept) == 4
    assert len({path.split("/")[-3] for path in kept}) == 1
    assert not list((story.folder / "landing").glob(".upload-*"))


def test_no_statement_of_a_run_doubles_rows_when_it_is_sent_twice(story: Story) -> None:
    sent = [" ".join(ran["text"].split()) for ran in story.statements]
    inserts = [text for text in sent if re.search(r"\binsert (into|overwrite)\b", text)]
    once = re.compile(r"\binsert overwrite\b|\breplace where\b|\bwhere not exists\b")

    assert len(inserts) > 10
    assert [text for text in inserts if not once.search(text)] == []


def _node(statement: str) -> str | None:
    """Return the node of dbt that sent a statement; an empty text if it was none of them."""
    said = re.match(r"/\* (\{.*?\}) \*/", statement)
    return None if said is None else str(json.loads(said[1]).get("node_id", ""))


def _without_repetitions(statements: list[dict[str, Any]]) -> list[str]:
    """Return what a run sends if nothing disturbs it: dbt builds again what was disturbed."""
    sent = [ran["text"] for ran in statements if not NOT_COUNTED.match(ran["text"])]
    of_dbt = {(_node(it), it.partition("*/")[2]) for it in sent if _node(it) is not None}
    return [*(text for _, text in of_dbt), *(it for it in sent if _node(it) is None)]


def test_a_first_run_sends_few_statements(story: Story) -> None:
    sent = _without_repetitions(story.until_killed_in_dbt)

    assert 50 < len(sent) <= MOST_OF_A_FIRST_RUN, (
        f"{len(sent)} statements until the last view of a first run is made: each is a round trip"
    )


def test_a_run_on_a_warehouse_with_a_history_sends_few_statements(story: Story) -> None:
    sent = _without_repetitions(
        [ran for ran in story.statements if _node(ran["text"]) not in story.again]
    )

    assert 50 < len(sent) <= MOST_OF_A_DAY, (
        f"{len(sent)} statements for a day: each is a round trip. Sent:\n"
        + "\n".join(" ".join(text.split())[:100] for text in sent)
    )


def test_only_views_that_are_not_as_they_would_be_are_made_again(story: Story) -> None:
    sent = [ran["text"] for ran in story.statements]
    made, tagged = (
        {_node(text) for text in sent if verb in text}
        for verb in ("create or replace view", "ALTER VIEW")
    )

    assert made == tagged == story.again


def test_every_statement_of_a_run_carries_its_id(story: Story) -> None:
    with dg.DagsterInstance.from_config(str(story.folder / "dagster")) as instance:
        [run] = instance.get_runs(limit=1)
    assert run.job_name == "process_delivery"
    tags = [ran["tags"] for ran in story.statements]
    assert len(tags) > 50
    assert any("dbt" in ran["text"] for ran in story.statements)
    # What decides whether there is a run has no run yet.
    asked = list(itertools.takewhile(lambda ran: ran["tags"]["run_id"] == "none", story.statements))
    assert [ran["text"] for ran in asked if not ran["text"].startswith("select ")] == []
    assert {tag.get("run_id") for tag in tags[len(asked) :]} == {run.run_id}
    assert {tag.get("application") for tag in tags} == {"lending-club-pipeline"}


def test_durations_rows_and_the_version_are_in_the_metadata(story: Story) -> None:
    assert story.last is not None
    assert story.parity is not None
    published = len(story.last.seen)
    based = next(it.rows[0] for it in story.parity.models if it.name == "base_accounts")
    rows = {
        "base_accounts": based,
        "account_summary": published,
        "account_summary_to_databricks": published,
    }
    found = {}
    with dg.DagsterInstance.from_config(str(story.folder / "dagster")) as instance:
        for name in rows:
            event = instance.get_latest_materialization_event(dg.AssetKey(name))
            assert event is not None
            assert event.asset_materialization is not None
            found[name] = {
                key: value.value for key, value in event.asset_materialization.metadata.items()
            }
    assert {name: it["dagster/row_count"] for name, it in found.items()} == rows
    assert all(it["duration_seconds"] > 0 for it in found.values())
    served = found["account_summary_to_databricks"]
    table = f"{story.client.catalog}.`{story.client.schema}`.account_summary_serving"
    history = story.client.run(f"describe history {table}")
    assert served["dagster/table_name"] == table.replace("`", "")
    assert served["delta_version"] == history[0][0]
    assert served["previous_delta_version"] < served["delta_version"]
    balance = story.client.run(
        f"select sum(original_balance) from {table} version as of {served['delta_version']}"
    )
    assert served["original_balance"] == str(balance[0][0])


def test_the_token_is_in_no_file_and_in_nothing_that_was_said(story: Story) -> None:
    steps = [*story.killed.values(), story.refused, story.last]
    said = [text for step in steps if step for text in (step.ended.stdout, step.ended.stderr)]
    assert not [text for text in said if story.client.token in text]
    secret = story.client.token.encode()
    files = [path for path in story.folder.rglob("*") if path.is_file()]
    assert {"partial_parse.msgpack", "manifest.json"} <= {path.name for path in files}
    assert any(path.suffix == ".db" for path in files)
    assert [path for path in files if secret in path.read_bytes()] == []


def test_what_is_said_is_free_of_warnings_of_libraries(story: Story) -> None:
    assert story.last is not None
    assert re.findall(r"(?i)warning.*|deprecat.*", story.last.ended.stderr) == []


def test_metrics_hold_what_the_statements_of_the_day_cost(story: Story) -> None:
    before = len(story.client.statements())

    shown = command(story.client, story.folder, "metrics", "--once")

    assert shown.returncode == 0, shown.stderr
    sent = story.client.statements()
    assert len(sent) == before, "asking for metrics has woken the SQL warehouse"
    ours = [it for it in sent if it["tags"].get("application") == "lending-club-pipeline"]
    found = re.findall(
        r"^lending_club_databricks_(\w+)\{work=(.+), status=(\w+)\} (\S+)$",
        shown.stdout,
        re.MULTILINE,
    )
    totals = {
        name: sum(float(value) for other, *_, value in found if other == name)
        for name in ("statements", "duration_seconds", "read_bytes", "written_bytes")
    }
    assert totals["statements"] == len(ours)
    assert totals["duration_seconds"] == pytest.approx(sum(it["seconds"] for it in ours), rel=0.01)
    assert totals["read_bytes"] > 0
    assert totals["written_bytes"] > 0
    assert {"account_summary", "dbt tests", "run"} <= {work for _, work, _, _ in found}
    assert "lending_club_databricks_unreadable{} 0" in shown.stdout
    assert "lending_club_runs_finished{dagster_job=process_delivery, status=success}" in (
        shown.stdout
    )
