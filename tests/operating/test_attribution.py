"""A run of Dagster's pages carries who signed in at the gateway, and nobody whom a tag names."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import dagster as dg
import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.defs.instance import ensure_dagster_home, open_instance
from tests.empty_job import some_job


class _Submitted(SimpleNamespace):
    """What Dagster tells the coordinator: the run, and the request that asked for it."""

    def get_request_header(self, name: str) -> str | None:
        return cast("str | None", self.headers.get(name))


@pytest.mark.parametrize(
    ("headers", "tags", "user"),
    [
        pytest.param({"X-Forwarded-Email": "ann"}, {}, "ann", id="signed in"),
        pytest.param({"X-Forwarded-Email": "ann"}, {"user": "bob"}, "ann", id="says another"),
        pytest.param({}, {"user": "bob"}, "", id="did not sign in"),
        pytest.param({}, {}, None, id="of a sensor"),
    ],
)
def test_who_signed_in_is_the_user_of_a_run(
    tmp_path: Path, headers: dict[str, str], tags: dict[str, str], user: str | None
) -> None:
    home = ensure_dagster_home(load_settings({"dagster_home": tmp_path}))
    with open_instance(home) as instance:
        # One that waits would need a code server to come from.
        run = instance.create_run_for_job(some_job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        context: Any = _Submitted(
            dagster_run=run, workspace=SimpleNamespace(instance=instance), headers=headers
        )

        submitted = instance.run_coordinator.submit_run(context)

    assert submitted.tags.get("user") == user
