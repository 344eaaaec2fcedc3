"""Dagster's page and daemon on one machine."""

import fcntl
from pathlib import Path

import pytest

from lending_club_pipeline.contract.errors import ServiceError
from lending_club_pipeline.defs import services


def test_a_run_history_that_is_served_already_gets_no_second_daemon(tmp_path: Path) -> None:
    with (tmp_path / "services.lock").open("a+") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write(", on http://127.0.0.1:3000 by process 7\n")
        first.flush()

        with pytest.raises(ServiceError) as caught:
            services.serve("127.0.0.1", 3999, tmp_path, "no_module_is_started")

    assert str(caught.value).startswith(f"{tmp_path}: Dagster is served already")
    assert "on http://127.0.0.1:3000 by process 7" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["services.lock"]
