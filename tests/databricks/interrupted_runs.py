"""The runs that `test_interrupted_runs.py` looks at: killed, refused, disturbed, and a good one."""

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.config.engine import DatabaseType
from lending_club_pipeline.config.settings import DataPlatformConfig
from lending_club_pipeline.parity.engines import BothEngines, Parity
from tests.databricks.deliveries import ACCOUNTS, CUSTOMERS, DAY, deliver
from tests.databricks.killing import (
    EMBEDDED,
    RUN,
    command,
    embedded_environment,
    killed_run,
    make_old_state,
    published,
    readers_see,
    undisturbed,
)
from tests.databricks.parity_deliveries import everything
from tests.databricks.pipelines import settings_of
from tests.oracle import Outcome, process

# Where a run is killed, in the order of its statements; `make test` kills at one of them.
KILLS: dict[str, dict[str, Any]] = {
    "at its first statement": {"at": 1},
    "in the upload": {"matching": "^put .*/rejected_records/"},
    "in the load": {"matching": "^insert into .*`delivered_files`"},
    # All tables are there then; the view is there, and its tags are not.
    "in dbt": {"matching": r"create or replace view\s+\S*`customer_profile`", "after": True},
    "before the verification": {
        "matching": "^insert overwrite .*account_summary_serving",
        "after": True,
    },
}
IN_ANY_CASE = ("in dbt",)
LOST = [
    "^insert into .*`accounts_raw`",
    r"create or replace table\s+\S*`base_accounts`",
    r"insert into\s+\S*`account_summary_daily`",
    "^insert overwrite .*account_summary_serving",
]


# Views that the next run has to make again: one that somebody changes, and the one without tags.
EDITED, UNTAGGED = "account_interest", "customer_profile"


@dataclass
class Step:
    """A run of the story: how it ended, and what readers saw then."""

    ended: subprocess.CompletedProcess[str]
    seen: list[tuple[Any, ...]]


@dataclass
class Story:
    """All runs, and what they left."""

    client: WarehouseClient
    folder: Path
    old: list[tuple[Any, ...]]
    killed: dict[str, Step] = field(default_factory=dict)
    until_killed_in_dbt: list[dict[str, Any]] = field(default_factory=list)
    refused: Step | None = None
    last: Step | None = None
    struck: list[int] = field(default_factory=list)
    statements: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    undisturbed: dict[str, bytes] = field(default_factory=dict)
    parity: Parity | None = None
    right: Outcome | None = None

    @property
    def again(self) -> set[str]:
        """Views that the last run has to make again, as dbt names them."""
        # A run that was killed after it has mended the one that was left without tags.
        is_mended = list(self.killed)[-1] != "in dbt"
        return {f"model.lending_club.{it}" for it in (EDITED, *(() if is_mended else (UNTAGGED,)))}


def tell_story(
    client: WarehouseClient, lost: Path, folder: Path, prepared_dbt: Path, *, is_exhaustive: bool
) -> Story:
    """Run all of it.

    Args:
        client: the warehouse, and the schema that the runs share.
        lost: folder of the machine whose runs are killed; it is removed after them.
        folder: folder of the machine of the other runs.
        prepared_dbt: the parsed dbt project.
        is_exhaustive: kill at every place, and deliver every spelling of every field.
    """
    for machine in (lost, folder):
        shutil.copytree(prepared_dbt, machine / EMBEDDED / "dagster" / "dbt")
        deliver(machine, ACCOUNTS.encode(), CUSTOMERS.encode())
    # A name that has to be quoted wherever it stands in a statement.
    client.environment["DATABRICKS_SCHEMA"] = client.schema.replace("_", "-")
    story = Story(client, folder, make_old_state(client))
    for name in KILLS if is_exhaustive else IN_ANY_CASE:
        client.request("DELETE", "/statements")
        ended = killed_run(client, lost, **KILLS[name])
        if name == "in dbt":
            story.until_killed_in_dbt = client.statements()
        story.killed[name] = Step(ended, readers_see(client))
    # As in an image, the parsed project comes with the program; all else of the disk is lost.
    shutil.copytree(lost / "dagster" / "dbt", folder / "dagster" / "dbt")
    shutil.rmtree(lost)
    _refuse(story)
    # Each spelling is compared in each field by `test_macros.py`.
    _disturb(story, *everything(folder / "generated", 1 if is_exhaustive else 7))
    return story


def _refuse(story: Story) -> None:
    story.client.arm("expire_token")
    ended = command(story.client, story.folder, "--debug", *RUN)
    story.client.disarm()
    story.refused = Step(ended, readers_see(story.client))


def _disturb(story: Story, customers: bytes, accounts: bytes) -> None:
    """Restate the day, and process it with everything against it; then without, elsewhere."""
    client = story.client
    deliver(story.folder, accounts, customers)
    story.right = process(customers, accounts, DAY)
    client.run(f"create or replace view `{client.schema}`.{EDITED} as select 1 as edited")
    client.arm("refuse", status=503, method="OpenSession")
    client.arm("refuse", status=429, method="ExecuteStatement")
    for matching in LOST:
        client.arm("lose_reply", matching=matching)
    client.request("DELETE", "/statements")
    ended = command(client, story.folder, *RUN)
    assert ended.returncode == 0, ended.stderr
    story.statements = client.statements()
    story.struck = [fault["struck"] for fault in client.request("GET", "/faults")]
    client.disarm()
    story.last = Step(ended, readers_see(client))
    story.files = published(story.folder)
    story.undisturbed = undisturbed(story.folder, client)
    story.parity = _both(client, story.folder).compare()


def _both(client: WarehouseClient, folder: Path) -> BothEngines:
    """Both pipelines: the one of the story, and the undisturbed one."""
    settings: dict[DatabaseType, DataPlatformConfig] = {
        "duckdb": settings_of(
            client,
            folder,
            **{it.lower(): value for it, value in embedded_environment(folder).items()},
        ),
        "databricks": settings_of(client, folder),
    }
    scratch = folder / "scratch"
    scratch.mkdir()
    return BothEngines(settings, scratch)
