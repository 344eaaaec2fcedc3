"""What a reader of a bucket sees of a publication: one state, whatever happens meanwhile."""

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lending_club_pipeline.config import clock
from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.contract.errors import ConfigurationError, OutputError, StorageError
from lending_club_pipeline.files import processes
from lending_club_pipeline.files.atomic import describe
from lending_club_pipeline.publish.manifest import FILE_NAME, digest_of, holds, render_manifest
from lending_club_pipeline.storage.outputs import Outputs, outputs_of
from tests.objects import proxies
from tests.objects.buckets import Bucket
from tests.objects.proxies import FORBIDDEN, Answer, Proxy, Request

DAY = dt.date(2026, 1, 31)
NAMES = ("account_summary.csv", "report.html")
STABLE = "/out/account_summary.csv"


@pytest.fixture
def proxy(bucket: Bucket) -> Iterator[Proxy]:
    with proxies.before(bucket.endpoint) as proxy:
        yield proxy


def outputs_behind(proxy: Proxy, bucket: Bucket, **given: object) -> Outputs:
    return outputs_of(
        load_settings(
            {
                "output_path": bucket.url("out"),
                "objects_endpoint": proxy.endpoint,
                "landing_path": Path("landing"),
                "objects_retry_seconds": 1,
                **given,
            }
        )
    )


def publish(outputs: Outputs, number: int, *, meanwhile: Callable[[], object] = str) -> str:
    """Publish files that hold a number, as the pipeline does; return their digest."""
    with outputs.publication(manifest=FILE_NAME) as publication:
        files = []
        for name in NAMES:
            work = publication.work_for(name)
            work.write_text(f"{number}\n" * 1000)
            files.append(describe(work, None, outputs.location / name))
        digest = digest_of((it.path.name, it.sha256) for it in files)
        manifest = render_manifest(DAY, str(number), files, publication.kept_in(digest[:16]))
        publication.work_for(FILE_NAME).write_text(manifest)
        meanwhile()
    return digest


def read(bucket: Bucket) -> set[bytes]:
    """Read what is published, as a reader does who begins with the manifest."""
    contents = set()
    for it in bucket.manifest()["files"]:
        body = bucket.get(f"out/{it['path']}")
        assert hashlib.sha256(body).hexdigest() == it["sha256"]
        contents.add(body[:2])
    return contents


def test_a_reader_of_the_manifest_sees_one_publication_at_every_moment(
    proxy: Proxy, bucket: Bucket
) -> None:
    seen: list[set[bytes]] = []

    def look(request: Request, ask: Callable[[], Answer]) -> Answer:
        if request.method == "PUT":
            seen.append(read(bucket))
            answer = ask()
            seen.append(read(bucket))
            return answer
        return ask()

    outputs = outputs_behind(proxy, bucket)
    publish(outputs, 1)
    proxy.rules.append(look)
    digest = publish(outputs, 2)

    # Two immutable objects, the manifest, two names that stay.
    assert seen == [{b"1\n"}] * 5 + [{b"2\n"}] * 5
    assert holds(outputs, digest)
    assert outputs.read("account_summary.csv") == b"2\n" * 1000


def test_of_two_publishers_one_publishes_and_the_other_is_told(
    proxy: Proxy, bucket: Bucket
) -> None:
    outputs, others = outputs_behind(proxy, bucket), outputs_behind(proxy, bucket)
    publish(outputs, 1)

    with pytest.raises(OutputError) as caught:
        publish(outputs, 2, meanwhile=lambda: as_another_process(others, 3))

    assert f"{bucket.url('out')}/manifest.json: another run published there" in str(caught.value)
    assert read(bucket) == {b"3\n"}
    assert bucket.get("out/account_summary.csv")[:2] == b"3\n"


def as_another_process(outputs: Outputs, number: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "this_machine", lambda: "another")
        publish(outputs, number)


def test_the_first_publication_of_all_is_conditional_too(proxy: Proxy, bucket: Bucket) -> None:
    outputs, others = outputs_behind(proxy, bucket), outputs_behind(proxy, bucket)

    with pytest.raises(OutputError):
        publish(outputs, 2, meanwhile=lambda: as_another_process(others, 3))

    assert read(bucket) == {b"3\n"}


def test_a_publication_whose_answer_is_lost_is_one(proxy: Proxy, bucket: Bucket) -> None:
    left = iter([1])

    def lose(request: Request, ask: Callable[[], Answer]) -> Answer:
        answer = ask()
        is_lost = request.is_for("PUT", FILE_NAME) and next(left, None)
        return proxies.BUSY if is_lost else answer

    outputs = outputs_behind(proxy, bucket)
    publish(outputs, 1)
    proxy.rules.append(lose)

    digest = publish(outputs, 2)

    assert len(proxy.asked("PUT", FILE_NAME)) == 3
    assert holds(outputs, digest)
    assert read(bucket) == {b"2\n"}


@pytest.mark.parametrize(
    ("part", "published"),
    [("publications", b"1\n"), (FILE_NAME, b"1\n"), (STABLE, b"2\n")],
)
def test_a_publication_that_breaks_off_leaves_the_old_or_the_new_state(
    proxy: Proxy, bucket: Bucket, part: str, published: bytes
) -> None:
    outputs = outputs_behind(proxy, bucket)
    publish(outputs, 1)
    proxy.answer(FORBIDDEN, "PUT", part)

    with pytest.raises(StorageError) as caught:
        publish(outputs, 2)

    assert "\n" not in str(caught.value)
    assert "the store refuses access (403)" in str(caught.value)
    assert read(bucket) == {published}
    assert list(Path("landing").iterdir()) == []
    # What the next run asks: are these the outputs?
    proxy.rules.clear()
    digest = digest_of((name, hashlib.sha256(b"2\n" * 1000).hexdigest()) for name in NAMES)
    assert not holds(outputs, digest)
    assert publish(outputs, 2) == digest
    assert holds(outputs, digest)


def test_an_output_that_somebody_replaced_is_noticed(proxy: Proxy, bucket: Bucket) -> None:
    outputs = outputs_behind(proxy, bucket)
    digest = publish(outputs, 1)
    assert holds(outputs, digest)

    bucket.put("out/report.html", b"1\n" * 1000)

    assert not holds(outputs, digest)


def test_older_publications_are_removed_when_nobody_reads_them_any_more(
    proxy: Proxy, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = outputs_behind(proxy, bucket)
    publish(outputs, 1)
    publish(outputs, 2)
    assert len(bucket.keys("out/publications/")) == 2 * len(NAMES)

    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)
    publish(outputs, 3)

    # Somebody may have read the manifest before it a moment ago.
    kept = {bucket.get(key)[:2] for key in bucket.keys("out/publications/")}
    assert kept == {b"2\n", b"3\n"}


def test_of_two_who_remove_an_older_publication_none_is_disturbed_by_the_other(
    proxy: Proxy, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = outputs_behind(proxy, bucket)
    publish(outputs, 1)
    publish(outputs, 2)
    later = dt.datetime.now(dt.UTC) + dt.timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: later)

    def be_too_late(request: Request, ask: Callable[[], Answer]) -> Answer:
        # S3 is asked for all of them at once, with their names in the body.
        is_deletion = request.method == "DELETE" or request.is_for("POST", "?delete")
        if is_deletion and len(gone := bucket.keys("out/publications/")) == 3 * len(NAMES):
            bucket.remove(next(it for it in gone if bucket.get(it)[:2] == b"1\n"))
        return ask()

    proxy.rules.append(be_too_late)

    digest = publish(outputs, 3)

    assert holds(outputs, digest)
    kept = {bucket.get(key)[:2] for key in bucket.keys("out/publications/")}
    assert kept == {b"2\n", b"3\n"}


def test_a_page_beside_the_outputs_is_no_publication(proxy: Proxy, bucket: Bucket) -> None:
    outputs = outputs_behind(proxy, bucket)
    digest = publish(outputs, 1)
    before = bucket.manifest()

    with outputs.publication() as publication:
        publication.work_for("held-2026-01-31.html").write_text("held")

    assert "held-2026-01-31.html" in outputs.names()
    assert outputs.read("held-2026-01-31.html") == b"held"
    outputs.remove("held-2026-01-31.html")
    outputs.remove("held-2026-01-31.html")
    assert "held-2026-01-31.html" not in outputs.names()
    assert bucket.manifest() == before
    assert holds(outputs, digest)


def test_rights_of_files_are_refused_for_outputs_that_have_none() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"output_path": "s3://bucket/out", "output_group": "analysts"})

    assert "OUTPUT_GROUP" in str(caught.value)


@pytest.mark.parametrize("setting", ["objects_encryption", "objects_kms_key"])
@pytest.mark.parametrize(
    "path", ["gs://bucket/out", "abfss://box@account.dfs.core.windows.net/out"]
)
def test_an_encryption_that_a_store_would_not_use_is_refused(path: str, setting: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings({"output_path": path, setting: "AES256"})

    assert f"OBJECTS_ENCRYPTION and OBJECTS_KMS_KEY are for S3, but OUTPUT_PATH={path}" in str(
        caught.value
    )
