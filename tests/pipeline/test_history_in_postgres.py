"""Dagster's history in Postgres: by settings alone, over TLS, checked by the doctor."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lending_club_pipeline.config.environment import temporary_environment
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, OutputError
from lending_club_pipeline.defs.code_server import close_lost_runs
from lending_club_pipeline.defs.instance import (
    configuration,
    ensure_dagster_home,
    open_instance,
    opened_history,
)
from lending_club_pipeline.defs.operating.samples import reading_samples
from lending_club_pipeline.defs.operating.status import find_status
from lending_club_pipeline.runs.history import check_history, password_environment
from tests.empty_job import some_job
from tests.postgres import PASSWORD, PostgresServer, is_installed, postgres_server


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    if not is_installed():
        pytest.skip("Postgres is not installed (Debian: postgresql)")
    with postgres_server() as running:
        yield running


def settings_of(home: Path, **others: Any) -> DataPlatformConfig:
    return load_settings({"dagster_home": home, **others})


def test_two_homes_of_one_server_share_the_history(server: PostgresServer, tmp_path: Path) -> None:
    homes = [
        ensure_dagster_home(settings_of(tmp_path / name, **server.settings()))
        for name in ("pod", "command-line")
    ]
    postgres = settings_of(homes[0], **server.settings()).postgres
    with temporary_environment(password_environment(postgres)):
        with open_instance(homes[0]) as instance:
            run_id = some_job.execute_in_process(instance=instance).run_id
        with open_instance(homes[1]) as instance:
            run = instance.get_run_by_id(run_id)

    assert run is not None
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert not list(tmp_path.rglob("*.db"))


def test_commands_read_it_with_the_password_of_the_settings(
    server: PostgresServer, tmp_path: Path
) -> None:
    settings = settings_of(
        tmp_path / "home", duckdb_path=tmp_path / "none.duckdb", **server.settings()
    )
    ensure_dagster_home(settings)

    status = find_status(settings)
    with reading_samples(settings) as read:
        samples = read()

    assert not status.notes
    assert samples


def test_the_password_is_in_no_file(server: PostgresServer, tmp_path: Path) -> None:
    home = ensure_dagster_home(settings_of(tmp_path / "home", **server.settings()))

    text = (home / "dagster.yaml").read_text()

    assert PASSWORD not in text
    assert "env: DAGSTER_POSTGRES_PASSWORD" in text


def test_the_doctor_names_server_and_version(server: PostgresServer, tmp_path: Path) -> None:
    found = check_history(settings_of(tmp_path, **server.settings()))

    assert found.verdict == "ok"
    assert f"dagster@localhost:{server.port}/dagster, PostgreSQL 1" in found.detail


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"dagster_postgres_password": "another"}, "password authentication failed"),
        ({"dagster_postgres_sslmode": "disable"}, "no pg_hba.conf entry"),
        ({"dagster_postgres_ca_file": None}, "certificate verify failed"),
        ({"dagster_postgres_host": "127.0.0.1", "dagster_postgres_port": 1}, "onnection refused"),
        ({"dagster_postgres_db": "missing"}, 'database "missing" does not exist'),
    ],
)
def test_the_doctor_says_what_is_wrong(
    server: PostgresServer, tmp_path: Path, wrong: dict[str, Any], said: str
) -> None:
    found = check_history(settings_of(tmp_path, **{**server.settings(), **wrong}))

    assert found.verdict == "problem"
    assert said in found.detail
    assert "\n" not in found.detail
    assert PASSWORD not in found.detail


def test_a_command_that_does_not_reach_it_says_so_in_one_line(tmp_path: Path) -> None:
    nobody = {"dagster_postgres_host": "127.0.0.1", "dagster_postgres_port": 1}
    settings = settings_of(tmp_path, dagster_postgres_password=PASSWORD, **nobody)
    ensure_dagster_home(settings)

    with pytest.raises(OutputError) as caught, opened_history(settings):
        pass

    assert "in Postgres (dagster@127.0.0.1:1/dagster)" in str(caught.value)
    assert "onnection refused" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)


def test_a_run_that_ended_with_its_code_server_is_closed(tmp_path: Path) -> None:
    home = ensure_dagster_home(settings_of(tmp_path / "home"))
    with open_instance(home) as instance:
        lost, canceled, of_others = (
            instance.create_run_for_job(some_job, status=status, tags=tags).run_id
            for status, tags in (
                (dg.DagsterRunStatus.STARTED, {".dagster/grpc_info": "{}"}),
                (dg.DagsterRunStatus.CANCELING, {".dagster/grpc_info": "{}"}),
                (dg.DagsterRunStatus.STARTED, {"lending_club/pid": "1"}),
            )
        )

        assert set(close_lost_runs(instance)) == {lost, canceled}

        statuses = [instance.get_run_by_id(it).status for it in (lost, canceled, of_others)]
    assert statuses == [
        dg.DagsterRunStatus.FAILURE,
        dg.DagsterRunStatus.CANCELED,
        dg.DagsterRunStatus.STARTED,
    ]


def test_a_configuration_that_we_wrote_follows_the_settings(tmp_path: Path) -> None:
    plain, in_postgres = (
        settings_of(tmp_path),
        settings_of(tmp_path, dagster_postgres_host="server"),
    )

    for settings in (plain, in_postgres, plain):
        ensure_dagster_home(settings)
        assert (tmp_path / "dagster.yaml").read_text() == configuration(settings)


def test_a_configuration_that_somebody_wrote_stays(tmp_path: Path) -> None:
    written = "telemetry:\n  enabled: false\n"
    (tmp_path / "dagster.yaml").write_text(written)

    ensure_dagster_home(settings_of(tmp_path))

    assert (tmp_path / "dagster.yaml").read_text() == written
    with pytest.raises(ConfigurationError, match=r"dagster\.yaml has no `storage: postgres:`"):
        ensure_dagster_home(settings_of(tmp_path, dagster_postgres_host="server"))


def test_additions_replace_sections_of_the_configuration(tmp_path: Path) -> None:
    additions = tmp_path / "additions.yaml"
    additions.write_text("concurrency:\n  runs:\n    max_concurrent_runs: 3\n")

    text = configuration(settings_of(tmp_path, dagster_additions=additions))

    assert "max_concurrent_runs: 3" in text
    assert "max_concurrent_runs: 1" not in text
    additions.write_text("just text\n")
    with pytest.raises(ConfigurationError, match="holds no sections"):
        configuration(settings_of(tmp_path, dagster_additions=additions))
