"""Deliveries from a bucket, outputs to a bucket: the same as with folders."""

import hashlib

import pytest

from tests.faults.landings import ACCOUNTS, CUSTOMERS
from tests.objects import proxies
from tests.objects.buckets import ObjectWorkspace
from tests.workspaces import AS_OF, Workspace

# Which store it is, is no matter of whole runs: the other tests show what a store does.
each_store = pytest.mark.parametrize(
    "bucket", ["s3", pytest.param("google", marks=pytest.mark.operations)], indirect=True
)


@each_store
def test_a_delivery_is_published_as_in_folders_and_left_alone_from_then_on(
    in_objects: ObjectWorkspace, good_run: Workspace
) -> None:
    bucket = in_objects.bucket
    in_objects.deliver(CUSTOMERS, ACCOUNTS)

    ended = in_objects.command("run")

    assert ended.returncode == 0, ended.stderr
    assert bucket.url("out/account_summary.csv") in ended.stdout
    sent = {key.removeprefix("out/"): bucket.get(key) for key in bucket.keys("out/")}
    manifest = bucket.manifest()
    assert manifest["as_of_date"] == AS_OF.isoformat()
    for it in manifest["files"]:
        for name in (it["name"], it["path"]):
            assert hashlib.sha256(sent[name]).hexdigest() == it["sha256"]
    assert len(sent) == 1 + 2 * len(manifest["files"])
    # What was downloaded, and what was written before it was sent, is gone.
    landing = in_objects.root / "landing"
    assert [it.name for it in landing.iterdir()] == [f"as_of_date={AS_OF}"]
    assert not list(landing.rglob("*.csv"))

    # The same delivery from a folder into a folder.
    expected = good_run.output_bytes()
    del expected["report.html"]
    assert {name: sent[name] for name in expected} == expected

    _assert_unchanged_is_neither_fetched_nor_sent_again(in_objects)


def _assert_unchanged_is_neither_fetched_nor_sent_again(in_objects: ObjectWorkspace) -> None:
    with proxies.before(in_objects.bucket.endpoint) as proxy:
        in_objects.endpoint = proxy.endpoint

        assert in_objects.run_range(AS_OF, AS_OF).outcomes == {"unchanged"}

        assert not proxy.asked("GET", "/lending-club/in/")
        assert not proxy.asked("GET", "/lending-club/out/account_summary")
        assert not proxy.asked("PUT")
        # The same content once more, in another way: it is read to see that.
        key = f"in/{AS_OF}/accounts.csv"
        in_objects.bucket.put_in_parts(key, in_objects.bucket.get(key))
        assert in_objects.run_range(AS_OF, AS_OF).outcomes == {"unchanged"}
        assert proxy.asked("GET", "accounts.csv")
        assert not proxy.asked("PUT")


@each_store
def test_doctor_reaches_both_places_and_leaves_nothing(in_objects: ObjectWorkspace) -> None:
    bucket = in_objects.bucket
    in_objects.deliver(CUSTOMERS, ACCOUNTS)

    ended = in_objects.command("doctor")

    assert ended.returncode == 0, ended.stdout
    assert f"OUTPUT_PATH: {bucket.url('out')}: an object was written and removed" in ended.stdout
    assert f"delivery: {AS_OF} in {bucket.url('in')}/{AS_OF}" in ended.stdout
    assert bucket.keys("out/") == []

    ended = in_objects.command("doctor", "--outputs", f"{bucket.scheme}://another/out")

    assert ended.returncode == 1
    assert f"OUTPUT_PATH: {bucket.scheme}://another/out" in ended.stdout
    assert "there is no bucket or container another" in ended.stdout
