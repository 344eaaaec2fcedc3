"""Secrets from managers: the vendors' own clients read them, when they are used and not before."""

import json
import sys
import traceback
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import dagster as dg
import pytest
from pydantic import SecretStr

from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, SecretError
from lending_club_pipeline.defs.instance import open_instance
from lending_club_pipeline.defs.project import build_definitions
from lending_club_pipeline.operating.exporters import exporting
from lending_club_pipeline.runs.history import password_environment
from lending_club_pipeline.secret_stores.reading import forget_secrets, secret_value
from lending_club_pipeline.warehouse.databricks.connections import connection_arguments
from tests.operating.programs import free_port
from tests.operating.receivers import webhooks
from tests.operating.secret_managers import PROJECT, VAULT, Clouds, aws, clouds
from tests.workspaces import Workspace

CANARY = "dapi-canary-of-the-manager"
AWS, AZURE, GOOGLE = (
    "aws-secretsmanager:prod/databricks",
    "azure-keyvault:bank/databricks",
    f"google-secretmanager:{PROJECT}/databricks",
)
SECRETS = (
    *("DATABRICKS_TOKEN", "DATABRICKS_CLIENT_SECRET"),
    *("DAGSTER_POSTGRES_PASSWORD", "OTLP_HEADERS"),
)
STORES = [pytest.param(it, id=it.partition(":")[0]) for it in (AWS, AZURE, GOOGLE)]


@pytest.fixture(scope="module")
def vendor_clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clouds]:
    with clouds(tmp_path_factory.mktemp("clouds")) as running:
        yield running


@pytest.fixture(scope="module")
def vendor_aws() -> Iterator[tuple[Any, dict[str, str]]]:
    with aws() as running:
        yield running


Put = Callable[[str], None]


@pytest.fixture
def put(
    vendor_clouds: Clouds,
    vendor_aws: tuple[Any, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Put:
    """Store a value under `databricks` in all three managers, which this process can reach."""
    client, variables = vendor_aws
    for name, value in {**variables, **vendor_clouds.variables}.items():
        monkeypatch.setenv(name, value)
    forget_secrets()
    vendor_clouds.forbidden.clear()
    vendor_clouds.asked.clear()

    def store(value: str) -> None:
        names = {it["Name"] for it in client.list_secrets()["SecretList"]}
        write = client.put_secret_value if "prod/databricks" in names else client.create_secret
        key = "SecretId" if "prod/databricks" in names else "Name"
        write(**{key: "prod/databricks"}, SecretString=value)
        vendor_clouds.secrets[VAULT, "databricks"] = value
        vendor_clouds.secrets[PROJECT, "databricks"] = value

    store(CANARY)
    return store


def read(reference: str) -> str:
    return secret_value("DATABRICKS_TOKEN", SecretStr(reference))


def refusal(reference: str) -> str:
    with pytest.raises(SecretError) as caught:
        read(reference)
    said = "".join(traceback.format_exception(caught.value))
    assert CANARY not in said
    assert str(caught.value).startswith(f"DATABRICKS_TOKEN={reference}: ")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("reference", STORES)
def test_a_secret_is_read_by_the_vendors_client(put: Put, reference: str) -> None:
    assert read(reference) == CANARY

    put(json.dumps({"token": f"{CANARY}-in-json", "host": "h"}))
    forget_secrets()

    assert read(f"{reference}#token") == f"{CANARY}-in-json"


@pytest.mark.parametrize("reference", STORES)
def test_a_rotated_secret_takes_effect_when_secrets_are_read_anew(put: Put, reference: str) -> None:
    assert read(reference) == CANARY
    put("rotated")
    # A sensor that has to look at the warehouse each minute does not ask for it each minute.
    assert read(reference) == CANARY

    forget_secrets()

    assert read(reference) == "rotated"


@pytest.mark.parametrize("reference", STORES)
def test_a_secret_that_is_not_there_is_named(put: Put, reference: str) -> None:
    assert "no such secret" in refusal(reference.replace("databricks", "other"))


@pytest.mark.parametrize("reference", STORES)
def test_an_entry_that_is_not_there_is_named(put: Put, reference: str) -> None:
    assert "not a JSON object with an entry token" in refusal(f"{reference}#token")


@pytest.mark.parametrize("value", [f"{CANARY}\n{CANARY}", " \n", f"{CANARY}\x00"])
@pytest.mark.parametrize("reference", STORES)
def test_what_cannot_be_sent_is_refused(put: Put, reference: str, value: str) -> None:
    put(value)

    assert "holds nothing, or line breaks" in refusal(reference)


@pytest.mark.parametrize(
    ("reference", "right"),
    [
        (AZURE, "Grant the role Key Vault Secrets User"),
        (GOOGLE, "Grant roles/secretmanager.secretAccessor"),
    ],
    ids=["azure-keyvault", "google-secretmanager"],
)
def test_a_right_that_is_missing_is_named(
    put: Put, vendor_clouds: Clouds, reference: str, right: str
) -> None:
    vendor_clouds.forbidden.add("databricks")

    assert right in refusal(reference)


def test_a_right_that_is_missing_at_aws_is_named(
    put: Put, monkeypatch: pytest.MonkeyPatch, vendor_aws: tuple[Any, dict[str, str]]
) -> None:
    address = vendor_aws[1]["AWS_ENDPOINT_URL_SECRETS_MANAGER"]
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
    iam = boto3.client("iam", region_name="us-east-1", endpoint_url=address, **keys)
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])

    with checking_policies(address):
        assert "Grant secretsmanager:GetSecretValue on it" in refusal(AWS)


@contextmanager
def checking_policies(address: str) -> Iterator[None]:
    """Let moto look at who asks; https://docs.getmoto.org/en/latest/docs/iam.html."""

    def after(requests: int) -> None:
        url = f"{address}/moto-api/reset-auth"
        plain = {"Content-Type": "text/plain"}
        request = urllib.request.Request(url, str(requests).encode(), plain)
        urllib.request.urlopen(request).close()

    after(0)
    try:
        yield
    finally:
        after(10**9)


@pytest.mark.parametrize(
    ("reference", "variable", "value", "told"),
    [
        (AWS, "AWS_REGION", "", "AWS_REGION is not set"),
        (AWS, "AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1", "cannot be reached"),
        (AZURE, "AZURE_CLIENT_SECRET", "wrong", "sign-in at Azure was refused"),
        (AZURE, "HTTPS_PROXY", "http://127.0.0.1:1", "cannot be reached"),
        (GOOGLE, "GOOGLE_APPLICATION_CREDENTIALS", "/none", "sign-in at Google was refused"),
        (GOOGLE, "HTTPS_PROXY", "http://127.0.0.1:1", "cannot be reached"),
    ],
)
def test_what_keeps_a_manager_from_answering_is_named(
    put: Put,
    monkeypatch: pytest.MonkeyPatch,
    reference: str,
    variable: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv(variable, value)

    assert told in refusal(reference)


@pytest.mark.parametrize(
    "reference",
    [
        *("aws-secretsmanager:", "aws-secretsmanager:a b", "aws-secretmanager:a", "aws-ssm:a"),
        *("azure-keyvault:bank", "azure-keyvault:bank/a_b", "google-secretmanager:project"),
        *("google-secretmanager:project/a#", "gcp-secretmanager:p/canary"),
    ],
)
@pytest.mark.parametrize("variable", SECRETS)
def test_what_is_no_reference_is_no_setting(
    monkeypatch: pytest.MonkeyPatch, variable: str, reference: str
) -> None:
    monkeypatch.setenv(variable, reference)

    with pytest.raises(ConfigurationError) as caught:
        load_settings()

    # A password may look like one: it is not repeated.
    assert "canary" not in str(caught.value)
    allowed = "" if " " in reference else "write aws-secretsmanager:NAME"
    assert str(caught.value).startswith(f"{variable} is not allowed: {allowed}")


def test_every_secret_may_stand_in_a_manager() -> None:
    secrets = {
        name
        for name, field in DataPlatformConfig.variables().items()
        if "SecretStr" in str(field.annotation)
    }

    assert secrets == {*SECRETS}


def test_each_secret_is_read_where_it_is_used(
    put: Put, monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    for variable in SECRETS:
        monkeypatch.setenv(variable, AWS)
    settings = workspace.settings()

    assert password_environment(settings.postgres) == {"DAGSTER_POSTGRES_PASSWORD": CANARY}
    by_token = settings.databricks.model_copy(update={"client_secret": None})
    assert connection_arguments(by_token, "r")["access_token"] == CANARY
    by_principal = settings.databricks.model_copy(update={"token": None})
    provider = connection_arguments(by_principal, "r")["credentials_provider"]
    assert CANARY in [cell.cell_contents for cell in provider.__closure__]
    # What is shown of them says where they are, and not what they are.
    assert CANARY not in f"{settings!r} {settings.described()} {settings.as_environment()}"


def test_headers_of_a_push_are_read_before_the_variables_of_others_are_gone(
    put: Put, monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    put(f"api-key={CANARY}")
    with webhooks() as hooks:
        settings = workspace.settings(
            otlp_headers=AWS,
            otlp_endpoint=f"http://127.0.0.1:{hooks.port}/v1/metrics",
            metrics_port=free_port(),
        )
        forget_secrets()
        with exporting(settings, list):
            pass
    assert [path for path, _ in hooks.posts] == ["/v1/metrics"]
    assert hooks.headers[0]["api-key"] == CANARY


def test_definitions_and_sensors_read_no_secret(
    put: Put, vendor_clouds: Clouds, monkeypatch: pytest.MonkeyPatch, workspace: Workspace
) -> None:
    """Each minute, and in each process: a manager would be asked thousands of times a day."""
    monkeypatch.setenv("DATABRICKS_TOKEN", AZURE)
    monkeypatch.setenv("OTLP_HEADERS", AZURE)
    workspace.deliver("1,Ada,Yes\n", "A,1,100.00,Savings\n")
    assert workspace.run().outcome == "success"
    settings = workspace.settings()
    definitions = build_definitions(settings)
    forget_secrets()
    vendor_clouds.asked.clear()

    with open_instance(settings.dagster.home) as instance:
        for name in ("new_delivery_sensor", "alerts"):
            sensor = definitions.get_repository_def().get_sensor_def(name)
            sensor(dg.build_sensor_context(instance=instance, definitions=definitions))

    assert vendor_clouds.asked == []


@pytest.mark.parametrize(
    ("reference", "module", "extra"),
    [
        (AWS, "boto3", "aws-secrets"),
        (AZURE, "azure.keyvault.secrets", "azure-secrets"),
        (GOOGLE, "google.cloud.secretmanager", "google-secrets"),
    ],
)
def test_a_manager_whose_client_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, reference: str, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ConfigurationError, match=f"DATABRICKS_TOKEN={reference} .*{extra}"):
        secret_value("DATABRICKS_TOKEN", SecretStr(reference))
