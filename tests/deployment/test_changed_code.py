"""What changes in the mounted folders is live without a restart, and an error in it is shown."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.deployment.engine import docker
from tests.deployment.stack import Stack, wait_for

pytestmark = pytest.mark.docker

_LIVE_SECONDS = 90.0


@contextmanager
def healing(stack: Stack, source: Path, said: str) -> Iterator[str]:
    """Give a file's text, and put it back: the definitions load again, and nothing restarted."""
    text = source.read_text()
    began = _begin_of_container(stack)
    try:
        assert said in text
        yield text
    finally:
        source.write_text(text)
        wait_for(lambda: said in stack.described(), "the mended file is live", _LIVE_SECONDS)
    stack.expect_health("dagster-user-code", "healthy", 120)
    assert _begin_of_container(stack) == began


def _begin_of_container(stack: Stack) -> str:
    container = stack.container("dagster-user-code")
    return docker("inspect", "--format", "{{.State.StartedAt}}", container)


def test_a_changed_python_file(stack: Stack) -> None:
    source = stack.folder / "src" / "lending_club_pipeline" / "defs" / "jobs.py"
    said = "Validate, clean, join, enrich and publish"
    with healing(stack, source, said) as text:
        source.write_text(text.replace(said, "Take each and every delivery"))
        wait_for(lambda: "Take each and every" in stack.described(), "it is live", _LIVE_SECONDS)
        job = "/locations/lending-club/jobs/process_delivery"
        assert "Take each and every" in stack.page(job, "changed_python")

        source.write_text(text + "\nthis is no Python\n")
        wait_for(lambda: "SyntaxError" in stack.load_error(), "the error is shown", _LIVE_SECONDS)
        stack.expect_health("dagster-user-code", "unhealthy", 300)
        logged = stack.compose("logs", "dagster-user-code")
        assert re.search(r"are not loaded: File \S+jobs.py., line \d+ .*no Python", logged)
        assert "Failed" in stack.page("/locations", "broken_python")


def test_a_changed_dbt_file(stack: Stack) -> None:
    source = stack.folder / "dbt" / "models" / "marts" / "account_summary.yml"
    said = "The result of the pipeline"
    with healing(stack, source, said) as text:
        source.write_text(text.replace(said, "What all this is for"))
        wait_for(lambda: "What all this is for" in stack.described(), "it is live", _LIVE_SECONDS)
        assert "What all this is for" in stack.page("/assets/account_summary", "changed_dbt")

        source.write_text(text + "\n    no_such_key: [\n")
        wait_for(lambda: "account_summary.yml" in stack.load_error(), "its error", _LIVE_SECONDS)
        stack.expect_health("dagster-user-code", "unhealthy", 300)
        assert "Failed" in stack.page("/locations", "broken_dbt")
