"""The same on Azure Blob Storage: Azurite, Microsoft's emulator, which checks signatures."""

import base64
import datetime as dt
import email.utils
import hashlib
import hmac
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import ObjectStore

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import DataPlatformConfig, load_settings
from lending_club_pipeline.contract.errors import OutputError, RefusedDeliveryError, StorageError
from lending_club_pipeline.contract.locations import ObjectUrl
from lending_club_pipeline.ingest.csv.byte_counts import count_bytes, is_as_it_was_read
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.publish.manifest import holds
from lending_club_pipeline.storage.inputs import inputs_of
from lending_club_pipeline.storage.outputs import outputs_of
from lending_club_pipeline.storage.stores import open_store
from tests.objects.test_outputs import as_another_process, publish
from tests.operating.programs import answers, free_port, program, started

pytestmark = pytest.mark.operations

DAY = dt.date(2026, 1, 31)
ACCOUNTS = b"AccountID,CustomerID,Balance,AccountType\n" + b"A,1,1,Savings\n" * 700_000
OBJECT = f"in/{DAY}/accounts.csv"
# Azurite's, and the same everywhere.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_EMPTY_HEADERS = "\n" * 12
URL = f"abfss://box@{ACCOUNT}.dfs.core.windows.net"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port, folder = free_port(), tmp_path_factory.mktemp("azurite")
    address = f"http://127.0.0.1:{port}"
    command = [
        *(program("azurite-blob"), "--blobHost", "127.0.0.1", "--blobPort", str(port)),
        *("--silent", "--disableTelemetry", "--skipApiVersionCheck", "--location", str(folder)),
    ]
    with started(command, answers(address), folder / "log"):
        _make_container(f"{address}/{ACCOUNT}")
        yield f"{address}/{ACCOUNT}"


def _make_container(endpoint: str) -> None:
    """Ask for it, signed as Azure demands it."""
    date, version = email.utils.formatdate(usegmt=True), "2021-08-06"
    signed = (
        f"PUT{_EMPTY_HEADERS}x-ms-date:{date}\nx-ms-version:{version}\n"
        f"/{ACCOUNT}/{ACCOUNT}/box\nrestype:container"
    )
    digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date,
        "x-ms-version": version,
        "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}",
    }
    url = f"{endpoint}/box?restype=container"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", headers=headers)).close()


@pytest.fixture
def settings(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> DataPlatformConfig:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    return load_settings(
        {
            "input_path": f"{URL}/in",
            "output_path": f"{URL}/out",
            "objects_endpoint": endpoint,
            "objects_retry_seconds": 1,
            "objects_storage_class": "Cool",
            "landing_path": Path("landing"),
        }
    )


@pytest.fixture
def store(settings: DataPlatformConfig) -> ObjectStore:
    """The store, with a delivery and no outputs."""
    url = settings.deliveries.input_path
    assert isinstance(url, ObjectUrl)
    store = open_store(url, settings.objects)
    obstore.delete(store, [it["path"] for page in obstore.list(store) for it in page])
    obstore.put(store, f"in/{DAY}/Customer.csv", b"CustomerID,Name,HasLoan\n1,Ada,Yes\n")
    obstore.put(store, OBJECT, ACCOUNTS)
    return store


def find(settings: DataPlatformConfig) -> Delivery:
    return find_delivery(inputs_of(settings), DAY, Today(DAY))


def test_a_delivery_is_found_and_comes_as_it_is(
    settings: DataPlatformConfig, store: ObjectStore, tmp_path: Path
) -> None:
    accounts = find(settings).files[1]

    counts, here = count_bytes(accounts, tmp_path / "accounts.csv")

    assert here.read_bytes() == ACCOUNTS
    assert is_as_it_was_read(accounts, counts)
    assert str(accounts.path) == f"{URL}/{OBJECT}"


def test_an_object_that_was_replaced_since_it_was_found_is_refused(
    settings: DataPlatformConfig, store: ObjectStore, tmp_path: Path
) -> None:
    accounts = find(settings).files[1]
    counts, _ = count_bytes(accounts, tmp_path / "accounts.csv")

    obstore.put(store, OBJECT, ACCOUNTS.replace(b",1,1,", b",1,2,"))

    assert not is_as_it_was_read(accounts, counts)
    with pytest.raises(RefusedDeliveryError) as caught:
        count_bytes(accounts, tmp_path / "accounts.csv")
    assert caught.value.code == "file_changed"


def test_of_two_publishers_one_publishes_and_the_other_is_told(
    settings: DataPlatformConfig, store: ObjectStore
) -> None:
    outputs = outputs_of(settings)
    first = publish(outputs, 1)
    assert holds(outputs, first)

    with pytest.raises(OutputError):
        publish(outputs, 2, meanwhile=lambda: as_another_process(outputs_of(settings), 3))

    assert outputs.read("account_summary.csv") == b"3\n" * 1000
    assert not holds(outputs, first)


def test_a_wrong_key_and_a_wrong_container_are_told_without_the_key(
    settings: DataPlatformConfig, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = settings.changed(
        {"deliveries": {"input_path": ObjectUrl("abfss", URL[8:].replace("box@", "another@"))}}
    )
    with pytest.raises(StorageError, match="there is no bucket or container another@"):
        find(wrong)

    key = base64.b64encode(b"another key").decode()
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", key)
    with pytest.raises(StorageError, match="the store refuses access") as caught:
        find(settings)
    assert key not in str(caught.value)
