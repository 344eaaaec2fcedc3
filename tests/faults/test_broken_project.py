"""A dbt project that is broken: the run says where, and publishes nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lending_club_pipeline.errors import TransformationError
from lending_club_pipeline.transformation import manifests
from lending_club_pipeline.transformation.projects import project_dir
from tests.workspaces import Workspace

Failure = Callable[..., str]

JOIN = "models/intermediate/int_accounts__with_customer.sql"
SUMMARY = "models/marts/account_summary_daily.sql"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the dbt project, which runs use instead of the real one."""
    copy = tmp_path / "project"
    shutil.copytree(project_dir(), copy, ignore=shutil.ignore_patterns("target", "logs"))
    monkeypatch.setattr(manifests, "project_dir", lambda: copy)
    return copy


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_a_project_that_does_not_parse_names_the_model(
    after_good_run: Workspace, project: Path
) -> None:
    before = after_good_run.output_bytes()
    (project / JOIN).write_text("select * from {{ ref('no_such_model') }}")

    with pytest.raises(TransformationError) as caught:
        after_good_run.run()

    assert "int_accounts__with_customer" in str(caught.value)
    assert "no_such_model" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert after_good_run.output_bytes() == before


def test_a_project_that_is_not_there_is_named(
    after_good_run: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "project_dir", lambda: tmp_path / "nowhere")

    with pytest.raises(TransformationError, match=r"dbt cannot read its project: .*nowhere"):
        after_good_run.run()


@pytest.mark.exhaustive
def test_a_model_that_fails_is_named_and_nothing_is_published(
    after_good_run: Workspace, project: Path, failure: Failure, monkeypatch: pytest.MonkeyPatch
) -> None:
    _change(project / SUMMARY, "accounts.balance,", "accounts.no_such_column,")

    message = failure(after_good_run)

    assert message.startswith("dbt model or test account_summary_daily: ")
    assert "no_such_column" in message
    assert "the outputs of the last good run are unchanged" in message

    monkeypatch.setattr(manifests, "project_dir", project_dir)
    assert after_good_run.run().outcome == "success"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(
            "accounts.as_of_date = customers.as_of_date",
            "accounts.as_of_date = customers.as_of_date\nwhere accounts.account_id != 'A2'",
            id="a row is lost",
        ),
        pytest.param(
            "accounts.balance,",
            "cast(accounts.balance + 0.01 as decimal(18, 2)) as balance,",
            id="a cent is won",
        ),
    ],
)
def test_a_ledger_that_does_not_close_fails_the_run_and_nothing_is_published(
    after_good_run: Workspace, project: Path, failure: Failure, old: str, new: str
) -> None:
    _change(project / JOIN, old, new)

    message = failure(after_good_run)

    assert message.startswith("dbt test every_row_and_cent_is_accounted_for")
    assert "Nothing was published" in message
