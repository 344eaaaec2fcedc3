"""What only S3 has: regions, keys that run out, encryption by settings."""

import json
from collections.abc import Iterator

import pytest

from lending_club_pipeline.contract.errors import StorageError
from tests.objects import proxies
from tests.objects.buckets import S3Bucket
from tests.objects.proxies import Answer, Proxy
from tests.objects.test_outputs import outputs_behind, publish


@pytest.fixture
def proxy(s3: S3Bucket) -> Iterator[Proxy]:
    with proxies.before(s3.endpoint) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(400, [], b"<Error><Code>ExpiredToken</Code></Error>"), "the store refuses access"),
        (Answer(301, [], b""), "this bucket is in another region. Set AWS_REGION"),
    ],
)
def test_a_key_that_has_run_out_and_a_wrong_region_are_told(
    proxy: Proxy, s3: S3Bucket, answer: Answer, said: str
) -> None:
    outputs = outputs_behind(proxy, s3)
    proxy.answer(answer, "GET", "list-type")

    with pytest.raises(StorageError, match=f"s3://lending-club/out: {said}") as caught:
        outputs.names()

    assert "\n" not in str(caught.value)
    assert s3.secret not in str(caught.value)


def test_a_process_without_credentials_is_told_which_ones_to_give(
    proxy: Proxy, s3: S3Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    # The service of a machine that has no role.
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", proxy.endpoint)
    proxy.answer(Answer(404, [], b""), "PUT", "/latest/api/token")
    proxy.answer(Answer(404, [], b""), "GET", "/latest/meta-data")

    with pytest.raises(StorageError, match="there are no credentials for this store") as caught:
        outputs_behind(proxy, s3).names()

    assert "AWS_ACCESS_KEY_ID" in str(caught.value)


def test_outputs_are_encrypted_and_kept_as_the_settings_say(proxy: Proxy, s3: S3Bucket) -> None:
    outputs = outputs_behind(
        proxy,
        s3,
        objects_encryption="aws:kms",
        objects_kms_key="our-key",
        objects_storage_class="STANDARD_IA",
    )

    publish(outputs, 1)

    for key in s3.keys("out/"):
        found = s3.head(key)
        assert found["ServerSideEncryption"] == "aws:kms"
        assert found["SSEKMSKeyId"] == "our-key"
        assert found["StorageClass"] == "STANDARD_IA"
    assert s3.head("out/account_summary.csv")["ContentType"] == "text/csv; charset=utf-8"
    assert json.loads(s3.get("out/manifest.json"))["run_id"] == "1"
