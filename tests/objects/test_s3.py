"""Deliveries from S3, outputs to S3: the same as with folders."""

import hashlib

from tests.objects.buckets import InObjects
from tests.workspaces import AS_OF

CUSTOMERS = "1,Ada,Yes\n2,Bob,No\n"
ACCOUNTS = "A,1,100.50,Savings\nB,2,7,Savings\nC,3,1,Savings\n"


def test_a_delivery_is_found_and_published_as_in_folders(in_objects: InObjects) -> None:
    workspace, bucket = in_objects.workspace, in_objects.bucket
    in_objects.deliver(CUSTOMERS, ACCOUNTS)

    ended = workspace.command("run", **in_objects.variables)

    assert ended.returncode == 0, ended.stderr
    sent = {key.removeprefix("out/"): bucket.get(key) for key in bucket.keys("out/")}
    manifest = bucket.manifest()
    assert manifest["as_of_date"] == AS_OF.isoformat()
    for it in manifest["files"]:
        for name in (it["name"], it["path"]):
            assert hashlib.sha256(sent[name]).hexdigest() == it["sha256"]
    assert len(sent) == 1 + 2 * len(manifest["files"])
    # The same delivery from a folder into a folder.
    assert workspace.command("run", DUCKDB_PATH="other.duckdb").returncode == 0
    expected = workspace.output_bytes()
    assert {name: sent[name] for name in expected} == expected
