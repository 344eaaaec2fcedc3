"""A setting that cannot be used: which one, its value, and what is allowed, in one line."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from lending_club_pipeline.cli import cli
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError
from tests.faults.restrictions import mode
from tests.workspaces import Workspace

WRONG = {
    "DATABASE_TYPE": ("postgres", "'duckdb' or 'databricks'"),
    "DBT_TARGET": ("prod", "'duckdb' or 'databricks'"),
    "DBT_THREADS": ("0", "must be 1 or more"),
    "DBT_INTERMEDIATE_AS": ("table", "'ephemeral' or 'view'"),
    "DUCKDB_THREADS": ("many", "write a whole number."),
    "MEMORY_LIMIT": ("2 giraffes", "such as 2GiB"),
    "LOCK_WAIT_SECONDS": ("-1", "must be 0 or more"),
    "SENSOR_SETTLE_SECONDS": ("soon", "write a number."),
    "FIRST_AS_OF_DATE": ("1.1.2020", "write a date as YYYY-MM-DD."),
    "BUSINESS_TIMEZONE": ("Auckland", "did you mean Pacific/Auckland?"),
    "DELIVERY_CALENDAR": ("sometimes", "'every_day' or 'weekdays'"),
    "DELIVERY_HOLIDAYS": ("christmas", "YYYY-MM-DD"),
    "MOVEMENT_LIMITS": ("balance=much", "percent"),
    "RETENTION_DAYS": ("36501", "must be 36500 or less"),
    "BACKFILL_DAYS_PER_RUN": ("0", "must be 1 or more"),
    "CURRENCY": ("dollars", "such as USD"),
    "DELIVERY_SENSOR": ("on", "'stopped' or 'running'"),
    "DELIVERY_DEADLINE": ("noon", "write a time as HH:MM"),
    "DAGSTER_POSTGRES_PORT": ("none", "write a whole number."),
    "DAGSTER_POSTGRES_SSLMODE": ("maybe", "'verify-full'"),
    "DAGSTER_URL": ("localhost", "with http:// or https://"),
    "ALERTMANAGER_URL": ("localhost:9093", "with http:// or https://"),
    "METRICS_PORT": ("0", "must be 1 or more"),
    "OTLP_ENDPOINT": ("localhost", "with http:// or https://"),
    "OTLP_INTERVAL_SECONDS": ("0", "must be 1 or more"),
    "INPUT_PATH": ("ftp://bucket/in", "write a folder, or s3://bucket/prefix"),
    "OUTPUT_PATH": ("s3://bucket/a//out", "write a folder, or s3://bucket/prefix"),
    "OBJECTS_ENDPOINT": ("localhost:9000", "with http:// or https://"),
    "OBJECTS_TIMEOUT_SECONDS": ("0", "must be more than 0"),
    "OBJECTS_RETRY_SECONDS": ("281", "must be 280 or less"),
    "OBJECTS_ENCRYPTION": ("rot13", "'AES256', 'aws:kms' or 'aws:kms:dsse'"),
    "OUTPUT_MODE": ("0700", "owner read and write"),
    "DATABRICKS_CATALOG": ("bank; drop", "letters A to Z, digits, _ and -"),
    "DATABRICKS_SCHEMA": ("lending club", "letters A to Z, digits, _ and -"),
    "DATABRICKS_VOLUME": ("land/ing", "letters A to Z, digits, _ and -"),
    "DATABRICKS_SERVING_TABLE": ("a.b.c.d", "write name, schema.name or catalog.schema.name"),
    "DATABRICKS_HISTORY_DAYS": ("0.5", "write a whole number."),
    "DATABRICKS_RETRY_SECONDS": ("-1", "must be 0 or more"),
    "DATABRICKS_HOST": ("https://acme.cloud.databricks.com/", "without https://"),
    "DATABRICKS_HTTP_PATH": ("/sql/1.0/ware houses/a", "connection details"),
    "DATABRICKS_CLIENT_ID": ("my id", "no blank, line break"),
}
_WAREHOUSE = {
    "DATABASE_TYPE": "databricks",
    "DATABRICKS_HOST": "acme.cloud.databricks.com",
    "DATABRICKS_TOKEN": "token",
    "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/a",
    "DATABRICKS_CATALOG": "bank",
    "DATABRICKS_SCHEMA": "lending",
}
# Any text can be one of these; what is behind a path is known only when it is used.
_FREE = {
    "DELIVERY_SOURCE", "DAGSTER_POSTGRES_HOST", "DAGSTER_POSTGRES_USER",
    "DAGSTER_POSTGRES_PASSWORD",
    "DAGSTER_POSTGRES_DB", "DAGSTER_POSTGRES_CA_FILE", "DAGSTER_ADDITIONS", "METRICS_HOST",
    "OTLP_HEADERS", "AUDIT_LOG",
    "OBJECTS_CA_FILE", "OBJECTS_KMS_KEY", "OBJECTS_STORAGE_CLASS",
    "DUCKDB_PATH", "OUTPUT_GROUP", "LANDING_PATH", "DAGSTER_HOME",
    "DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET", "DATABRICKS_READERS", "DATABRICKS_CA_FILE",
}  # fmt: skip


def _error() -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_every_setting_that_can_be_wrong_is_tried_below() -> None:
    # A setting that is new belongs into one of the two lists above.
    known = {*DataPlatformConfig.variables()}
    assert known - _FREE - WRONG.keys() == set()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    value, allowed = WRONG[name]
    monkeypatch.setenv(name, value)

    error = _error()

    assert error.startswith(f"{name}={value} is not allowed: ")
    assert allowed in error


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_in_the_env_file_is_named_as_well(tmp_path: Path, name: str) -> None:
    value, allowed = WRONG[name]
    Path(".env").write_text(f"{name}={value}\n")

    error = _error()

    assert error.startswith(f"{name}={value} is not allowed: ")
    assert allowed in error


@pytest.mark.parametrize("name", ["DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET"])
@pytest.mark.parametrize("value", ["dapi-canary 2", "dapi-canary\nsecond", "dapi-canary-ä"])
def test_a_secret_that_cannot_be_sent_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    error = _error()

    assert error.startswith(f"{name} is not allowed: no blank, line break or letter beyond ASCII")
    assert "canary" not in error


def test_what_is_copied_with_blanks_line_breaks_or_a_slash_too_many_is_taken_without(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", " acme.cloud.databricks.com/ \n")
    monkeypatch.setenv("DATABRICKS_HTTP_PATH", "//sql/1.0/warehouses/abc/\t")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-canary\n")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "\tid ")

    settings = load_settings()

    assert settings.databricks.host == "acme.cloud.databricks.com"
    assert settings.databricks.http_path == "/sql/1.0/warehouses/abc"
    assert settings.databricks.token is not None
    assert settings.databricks.token.get_secret_value() == "dapi-canary"
    assert settings.databricks.client_id == "id"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABRICKS_HOST", "acme .com"),
        ("DATABRICKS_HOST", "http://acme.com"),
        ("DATABRICKS_HOST", "user:word@acme.com"),
        ("DATABRICKS_HOST", "acme.com/sql"),
        ("DATABRICKS_HTTP_PATH", "https://acme.com/sql/1.0/warehouses/abc"),
        ("DATABRICKS_HTTP_PATH", "/sql//warehouses/abc"),
        ("DATABRICKS_HTTP_PATH", "/"),
    ],
)
def test_what_is_no_host_and_no_path_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    assert _error().startswith(f"{name}={value} is not allowed: ")


@pytest.mark.parametrize("mode", ["rw-r--r--", "0666", "0440", "0755", "9", "0o640", "", "6400"])
def test_a_mode_of_outputs_is_octal_and_keeps_them_writable_by_their_owner_and_not_by_all(
    mode: str,
) -> None:
    with pytest.raises(ConfigurationError, match="OUTPUT_MODE"):
        load_settings({"output_mode": mode})


def test_several_wrong_values_are_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_THREADS", "none")
    monkeypatch.setenv("MEMORY_LIMIT", "1 byte")

    error = _error()

    assert "DBT_THREADS=none" in error
    assert "MEMORY_LIMIT=1 byte" in error


def test_too_little_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMORY_LIMIT", "100MB")

    assert "MEMORY_LIMIT=100MB is not allowed: must be 768MiB or more" in _error()


def test_a_value_of_several_lines_makes_an_error_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_TYPE", "duck\ndb")

    assert "DATABASE_TYPE=duck db is not allowed" in _error()


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
def test_no_setting_is_infinite_or_no_number(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    fields = DataPlatformConfig.variables().items()
    seconds = [name.upper() for name, field in fields if field.annotation is float]
    for name in seconds:
        monkeypatch.setenv(name, value)

    error = _error()

    assert len(seconds) == 6
    for name in seconds:
        assert f"{name}={value} is not allowed: " in error


def test_an_empty_value_is_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = load_settings()
    for name in WRONG.keys() | _FREE:
        monkeypatch.setenv(name, "")

    assert load_settings() == defaults


def test_two_engines_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_TARGET", "databricks")

    assert "DBT_TARGET=databricks contradicts DATABASE_TYPE=duckdb" in _error()


def test_what_an_engine_lacks_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_TYPE", "databricks")
    monkeypatch.setenv("DATABRICKS_HOST", "acme.cloud.databricks.com")

    assert (
        "DATABASE_TYPE=databricks also needs DATABRICKS_HTTP_PATH, DATABRICKS_CATALOG, "
        "DATABRICKS_SCHEMA, DATABRICKS_TOKEN (or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET)"
    ) in _error()


def test_half_a_service_principal_is_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    _give_databricks(monkeypatch, DATABRICKS_CLIENT_ID="0000-11")

    assert "DATABASE_TYPE=databricks also needs DATABRICKS_CLIENT_SECRET." in _error()


def test_two_ways_to_sign_in_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _give_databricks(
        monkeypatch,
        DATABRICKS_TOKEN="dapi-not-for-your-eyes",
        DATABRICKS_CLIENT_ID="0000-11",
        DATABRICKS_CLIENT_SECRET="dose-not-for-your-eyes",
    )

    error = _error()
    assert "DATABRICKS_TOKEN and DATABRICKS_CLIENT_ID are two ways to sign in" in error
    assert "not-for-your-eyes" not in error


def test_a_service_principal_signs_in_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    _give_databricks(
        monkeypatch, DATABRICKS_CLIENT_ID="0000-11", DATABRICKS_CLIENT_SECRET="dose-secret"
    )

    settings = load_settings()
    assert settings.databricks.token is None
    assert settings.databricks.client_id == "0000-11"
    assert "dose-secret" not in str(settings.described())


def _give_databricks(monkeypatch: pytest.MonkeyPatch, **sign_in: str) -> None:
    complete = {
        "DATABASE_TYPE": "databricks",
        "DATABRICKS_HOST": "acme.cloud.databricks.com",
        "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/1",
        "DATABRICKS_CATALOG": "bank",
        "DATABRICKS_SCHEMA": "lending_club",
    }
    for name, value in (complete | sign_in).items():
        monkeypatch.setenv(name, value)


def test_a_secret_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_TYPE", "databricks")
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-not-for-your-eyes")
    monkeypatch.setenv("DBT_THREADS", "none")

    assert "dapi" not in _error()


def test_a_missing_folder_of_secrets_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRETS_DIR", "/run/no-secrets")

    assert _error().startswith("SECRETS_DIR=/run/no-secrets is not a folder")


def test_an_env_file_that_is_not_utf8_is_named() -> None:
    Path(".env").write_bytes(b"DBT_THREADS=\xff\n")

    assert _error() == ".env: byte 13 is not valid UTF-8. Save the file as UTF-8."


def test_an_unreadable_env_file_is_named() -> None:
    env_file = Path(".env")
    env_file.write_text("DBT_THREADS=2\n")

    with mode(env_file, 0o000):
        assert _error().startswith(".env: these settings cannot be read (Permission denied)")


def test_the_command_line_exits_with_2(tmp_path: Path) -> None:
    ended = Workspace(tmp_path).command("run", DATABASE_TYPE="postgres")

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr == (
        "Error: DATABASE_TYPE=postgres is not allowed: write 'duckdb' or 'databricks'. "
        "See .env.example.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--as-of", "31.01.2026"], "'31.01.2026' is not a date: write YYYY-MM-DD"),
        (["run", "--wait", "long"], "'long' is not allowed: write a number of seconds"),
        (["walk"], "No such command 'walk'"),
    ],
)
def test_wrong_usage_exits_with_2(tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = Workspace(tmp_path).command(*arguments)

    assert ended.returncode == 2
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("package", "extra", "variables"),
    [
        ("databricks", "databricks", _WAREHOUSE),
        ("dagster_postgres", "postgres", {"DAGSTER_POSTGRES_HOST": "db"}),
    ],
)
def test_a_setting_whose_packages_are_not_installed_says_how_to_install_them(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    package: str,
    extra: str,
    variables: dict[str, str],
) -> None:
    workspace.deliver("1,Ada,Yes\n", "A,1,1,Savings\n")
    monkeypatch.setitem(sys.modules, package, None)

    for command in ("run", "doctor"):
        ended = CliRunner().invoke(cli, [command], env=workspace.variables() | variables)

        said = ended.output + str(ended.exception or "")
        assert ended.exit_code != 0
        assert f"needs the extra `{extra}`: pip install 'lending-club-pipeline[{extra}]'" in said
