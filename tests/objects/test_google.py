"""What only Google's Cloud Storage has: its credentials, generations and encoded objects."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, StorageError
from lending_club_pipeline.publish.manifest import holds
from lending_club_pipeline.storage.outputs import outputs_of
from tests.objects import buckets, proxies
from tests.objects.buckets import GoogleBucket
from tests.objects.google_requests import LARGE
from tests.objects.proxies import Answer, Proxy
from tests.objects.test_faults_of_inputs import ACCOUNTS, FOLDER, Find, find, read
from tests.objects.test_outputs import outputs_behind, publish

__all__ = ["find"]
KEY = f"{FOLDER}/accounts.csv"


@pytest.fixture
def bucket(google: GoogleBucket) -> GoogleBucket:
    """The one that is meant here."""
    google.put(f"{FOLDER}/Customer.csv", b"CustomerID,Name,HasLoan\n1,Ada,Yes\n")
    google.put(KEY, ACCOUNTS)
    return google


@pytest.fixture
def proxy(bucket: GoogleBucket) -> Iterator[Proxy]:
    with proxies.before(bucket.endpoint) as proxy:
        yield proxy


def test_a_key_that_google_does_not_know_is_refused_without_being_shown(
    bucket: GoogleBucket, find: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = buckets.make_account(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(account))

    with pytest.raises(StorageError) as caught:
        find()

    assert "the store refuses access (401)" in str(caught.value)
    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(caught.value)
    assert account.read_text().split("\\n")[1] not in str(caught.value)


@pytest.mark.parametrize("text", [None, "{}", '{"type": "external_account"}', "no JSON"])
def test_a_file_that_holds_no_key_is_told_before_anything_is_asked(
    find: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    path = tmp_path / "account.json"
    if text is not None:
        path.write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    with pytest.raises(ConfigurationError, match="the client of this store cannot be made") as it:
        find()

    assert "\n" not in str(it.value)


@pytest.fixture
def machine(bucket: GoogleBucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    """A process without a key file, on a machine or pod whose metadata service is there."""
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    # Where people's own credentials are.
    monkeypatch.setenv("HOME", str(Path.cwd()))
    for name in ("GCE_METADATA_HOST", "GCE_METADATA_IP"):
        monkeypatch.setenv(name, urlsplit(proxy.endpoint).netloc)
    return proxy


def test_a_pod_with_a_workload_identity_needs_no_key(
    machine: Proxy, find: Find, tmp_path: Path
) -> None:
    assert read(find(), tmp_path) == ACCOUNTS

    asked = machine.asked("GET", "/computeMetadata/")
    assert {it.headers["metadata-flavor"] for it in asked} == {"Google"}


def test_a_process_without_credentials_is_told_which_ones_to_give(
    machine: Proxy, find: Find
) -> None:
    machine.answer(Answer(404, [], b""), "GET", "/computeMetadata/")

    with pytest.raises(StorageError, match="there are no credentials for this store") as caught:
        find(objects_retry_seconds=0.5)

    assert "GOOGLE_APPLICATION_CREDENTIALS" in str(caught.value)


def test_outputs_have_the_class_of_the_settings_and_their_types(
    bucket: GoogleBucket, proxy: Proxy
) -> None:
    publish(outputs_behind(proxy, bucket, objects_storage_class="NEARLINE"), 1)

    kept = {key: bucket.headers(key) for key in bucket.keys("out/")}
    assert {it["x-goog-storage-class"] for it in kept.values()} == {"NEARLINE"}
    assert kept["out/account_summary.csv"]["content-type"] == "text/csv; charset=utf-8"
    assert kept["out/manifest.json"]["content-type"] == "application/json"


def test_a_large_output_goes_in_parts_and_is_recognized(bucket: GoogleBucket, proxy: Proxy) -> None:
    outputs = outputs_behind(proxy, bucket, objects_storage_class="COLDLINE")
    body = b"A,1,100.50,Savings\n" * 1_000_000

    with outputs.publication() as publication:
        publication.work_for("account_summary.csv").write_bytes(body)

    assert len(proxy.asked("PUT", "partNumber")) == 3
    assert bucket.get("out/account_summary.csv") == body
    assert bucket.headers("out/account_summary.csv")["x-goog-storage-class"] == "COLDLINE"
    assert len(outputs.sha256_of("account_summary.csv") or "") == 64
    assert bucket.storage.uploads == {}


def test_a_bucket_with_a_key_of_its_own_serves_and_takes_as_any_other(
    bucket: GoogleBucket, proxy: Proxy, find: Find, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        bucket.storage, "kms_key", "projects/p/locations/eu/keyRings/r/cryptoKeys/k"
    )
    # Its ETags do not come from the content.
    bucket.put(KEY, ACCOUNTS)
    outputs = outputs_behind(proxy, bucket)

    assert read(find(), tmp_path) == ACCOUNTS
    publish(outputs, 1)
    assert holds(outputs, publish(outputs, 2))


def test_an_object_that_was_written_a_moment_ago_is_written_when_it_may_be(
    bucket: GoogleBucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = outputs_of(
        load_settings(
            {
                "output_path": bucket.url("out"),
                "objects_endpoint": proxy.endpoint,
                "landing_path": Path("landing"),
            }
        )
    )
    publish(outputs, 1)
    # Google takes one write of an object a second.
    monkeypatch.setattr(bucket.storage, "seconds_between_writes", 0.5)

    assert holds(outputs, publish(outputs, 2))


def test_an_object_that_google_would_unpack_comes_as_it_is_stored(
    bucket: GoogleBucket, find: Find, tmp_path: Path
) -> None:
    bucket.remove(KEY)
    bucket.put(f"{KEY}.gz", gzip.compress(ACCOUNTS), content_encoding="gzip")

    assert read(find(), tmp_path) == ACCOUNTS


def test_an_object_without_a_length_is_told_with_what_to_do(
    bucket: GoogleBucket, find: Find, tmp_path: Path
) -> None:
    bucket.remove(KEY)
    packed = gzip.compress(ACCOUNTS, compresslevel=0)
    assert len(packed) > LARGE
    bucket.put(f"{KEY}.gz", packed, content_encoding="gzip")

    with pytest.raises(StorageError, match="does not say how long this object is") as caught:
        read(find(), tmp_path)

    assert f"{KEY}.gz: " in str(caught.value)
    assert "Content-Encoding: gzip: upload it without this header" in str(caught.value)
