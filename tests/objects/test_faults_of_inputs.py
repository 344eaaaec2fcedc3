"""What goes wrong between a store and a delivery: healed, or told in one line; never mixed."""

import datetime as dt
import gzip
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import (
    PipelineError,
    RefusedDeliveryError,
    StorageError,
)
from lending_club_pipeline.ingest.csv.byte_counts import count_bytes, is_as_it_was_read
from lending_club_pipeline.ingest.deliveries.delivery_folders import Delivery
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.storage.inputs import inputs_of
from tests.objects import proxies
from tests.objects.buckets import Bucket
from tests.objects.proxies import BUSY, FORBIDDEN, Answer, Proxy, Request

DAY = dt.date(2026, 1, 31)
FOLDER = f"in/{DAY}"
# Large enough to come in several pieces.
ACCOUNTS = b"AccountID,CustomerID,Balance,AccountType\n" + b"A,1,1,Savings\n" * 700_000


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[Proxy]:
    bucket.put(f"{FOLDER}/Customer.csv", b"CustomerID,Name,HasLoan\n1,Ada,Yes\n")
    bucket.put(f"{FOLDER}/accounts.csv", ACCOUNTS)
    with proxies.before(bucket.endpoint) as proxy:
        yield proxy


Find = Callable[..., Delivery]


@pytest.fixture
def find(proxy: Proxy, bucket: Bucket) -> Find:
    """Finds the delivery of the bucket, behind the proxy."""

    def found(path: str = bucket.url("in"), **given: float) -> Delivery:
        inputs = inputs_of(
            load_settings({"input_path": path, "objects_endpoint": proxy.endpoint, **given})
        )
        return find_delivery(inputs, DAY, Today(DAY))

    return found


def read(found: Delivery, folder: Path) -> bytes:
    """Read the accounts, as landing does, and see whether they are what was found."""
    accounts = found.files[1]
    counts, here = count_bytes(accounts, folder / "accounts.csv")
    assert is_as_it_was_read(accounts, counts)
    return here.read_bytes()


def said_of(error: PipelineError, bucket: Bucket, *parts: str) -> None:
    """Check that it is one line, with these parts and without a secret."""
    text = str(error)
    assert "\n" not in text
    assert bucket.secret not in text
    for part in parts:
        assert part in text


def test_a_store_that_is_busy_for_a_moment_is_asked_again(
    proxy: Proxy, find: Find, tmp_path: Path
) -> None:
    for part in ("list-type", "accounts.csv"):
        proxy.answer(BUSY, "GET", part, times=2)

    assert read(find(), tmp_path) == ACCOUNTS


def test_a_store_that_stays_busy_is_told_with_what_to_do(
    proxy: Proxy, bucket: Bucket, find: Find
) -> None:
    proxy.answer(BUSY, "GET", "list-type")

    with pytest.raises(StorageError) as caught:
        find(objects_retry_seconds=0.5)

    said_of(caught.value, bucket, bucket.url("in: "), "status 503", "OBJECTS_RETRY_SECONDS")


@pytest.mark.parametrize("part", ["list-type", "accounts.csv"])
def test_a_refused_right_is_told_with_the_object(
    proxy: Proxy, bucket: Bucket, find: Find, tmp_path: Path, part: str
) -> None:
    proxy.answer(FORBIDDEN, "GET", part)

    with pytest.raises(StorageError) as caught:
        read(find(), tmp_path)

    name = "in" if part == "list-type" else f"{FOLDER}/accounts.csv"
    said_of(caught.value, bucket, f"{bucket.url(name)}: the store refuses access (403)")


def test_a_bucket_that_is_not_there_is_told(bucket: Bucket, find: Find) -> None:
    another = f"{bucket.scheme}://another/in"

    with pytest.raises(StorageError) as caught:
        find(another)

    said_of(caught.value, bucket, f"{another}: there is no bucket or container another")


def test_a_store_that_does_not_answer_is_told(proxy: Proxy, bucket: Bucket, find: Find) -> None:
    def wait(request: Request, ask: Callable[[], Answer]) -> Answer:
        time.sleep(0.6)
        return ask()

    proxy.rules.append(wait)

    with pytest.raises(StorageError) as caught:
        find(objects_timeout_seconds=0.2, objects_retry_seconds=0.5)

    said_of(caught.value, bucket, "did not answer in OBJECTS_TIMEOUT_SECONDS")
    # Slow is no fault.
    assert find(objects_timeout_seconds=10).as_of_date == DAY


def test_a_compressed_object_comes_as_its_text(bucket: Bucket, find: Find, tmp_path: Path) -> None:
    bucket.remove(f"{FOLDER}/accounts.csv")
    bucket.put(f"{FOLDER}/accounts.csv.gz", gzip.compress(ACCOUNTS))

    assert read(find(), tmp_path) == ACCOUNTS


def truncating(times: int) -> proxies.Rule:
    """Cut off what comes of the accounts, that many times."""
    left = iter(range(times))

    def rule(request: Request, ask: Callable[[], Answer]) -> Answer:
        answer = ask()
        if request.is_for("GET", "accounts.csv") and next(left, None) is not None:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        return answer

    return rule


def test_a_body_that_is_cut_off_is_fetched_again(proxy: Proxy, find: Find, tmp_path: Path) -> None:
    proxy.rules.append(truncating(1))

    assert read(find(), tmp_path) == ACCOUNTS


def test_a_body_that_is_always_cut_off_is_never_taken_for_the_whole(
    proxy: Proxy, bucket: Bucket, find: Find, tmp_path: Path
) -> None:
    proxy.rules.append(truncating(1_000))

    with pytest.raises(StorageError) as caught:
        read(find(objects_retry_seconds=0.5), tmp_path)

    said_of(caught.value, bucket, f"{bucket.url(FOLDER)}/accounts.csv: ")


def test_an_object_that_was_replaced_since_it_was_found_is_refused(
    bucket: Bucket, find: Find, tmp_path: Path
) -> None:
    found = find()
    bucket.put(f"{FOLDER}/accounts.csv", ACCOUNTS.replace(b",1,1,", b",1,2,"))

    with pytest.raises(RefusedDeliveryError) as caught:
        read(found, tmp_path)

    assert caught.value.code == "file_changed"
    said_of(caught.value, bucket, f"{bucket.url(FOLDER)}/accounts.csv: ", "Run again when")


def test_an_object_that_is_replaced_while_it_comes_is_noticed(
    proxy: Proxy, bucket: Bucket, find: Find, tmp_path: Path
) -> None:
    def replace_it(request: Request, ask: Callable[[], Answer]) -> Answer:
        answer = ask()
        if request.is_for("GET", "accounts.csv"):
            bucket.put(f"{FOLDER}/accounts.csv", b"others")
        return answer

    found = find()
    proxy.rules.append(replace_it)
    accounts = found.files[1]

    counts, here = count_bytes(accounts, tmp_path / "accounts.csv")

    assert here.read_bytes() == ACCOUNTS
    assert not is_as_it_was_read(accounts, counts)


def test_an_object_that_is_replaced_after_half_of_it_came_is_never_mixed(
    proxy: Proxy, bucket: Bucket, find: Find, tmp_path: Path
) -> None:
    found, others = find(), ACCOUNTS.replace(b",1,1,", b",1,2,")

    def replace_it(request: Request, ask: Callable[[], Answer]) -> Answer:
        if "range" in {name.lower() for name in request.headers}:
            bucket.put(f"{FOLDER}/accounts.csv", others)
        return ask()

    proxy.rules += [truncating(1), replace_it]

    with pytest.raises(RefusedDeliveryError) as caught:
        read(found, tmp_path)

    assert caught.value.code == "file_changed"


def test_an_object_that_is_gone_is_refused(bucket: Bucket, find: Find, tmp_path: Path) -> None:
    found = find()
    bucket.remove(f"{FOLDER}/accounts.csv")

    with pytest.raises(RefusedDeliveryError) as caught:
        read(found, tmp_path)

    assert caught.value.code == "file_missing"


def test_a_full_disk_is_no_fault_of_the_object(find: Find, tmp_path: Path) -> None:
    (tmp_path / "accounts.fetched.csv").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        read(find(), tmp_path)


def test_an_upload_that_is_not_complete_is_not_there(bucket: Bucket, find: Find) -> None:
    bucket.remove(f"{FOLDER}/accounts.csv")
    bucket.begin_upload(f"{FOLDER}/accounts.csv", ACCOUNTS)

    with pytest.raises(RefusedDeliveryError) as caught:
        find()

    assert caught.value.code == "file_missing"


def test_markers_of_folders_and_other_names_are_no_deliveries(
    bucket: Bucket, find: Find, tmp_path: Path
) -> None:
    for key in ("in/", f"{FOLDER}/", "in/2026-01-30/", "in/notes/read me.txt"):
        bucket.put(key, b"")

    assert read(find(), tmp_path) == ACCOUNTS


@pytest.mark.parametrize(
    "path", ["ftp://a/b", "s3:///in", "s3://b/a//c", "s3://b/..", "abfss://c/x"]
)
def test_a_url_that_names_nothing_is_refused_as_a_setting(path: str) -> None:
    with pytest.raises(PipelineError) as caught:
        load_settings({"input_path": path})

    assert "INPUT_PATH" in str(caught.value)
    assert "s3://bucket/prefix" in str(caught.value)
