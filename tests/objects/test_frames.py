"""What reads and writes assets in Python finds them in a bucket as in a folder."""

import pyarrow as pa
import pytest

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.publish.parquet_files import read_parquet_file, write_parquet_file
from tests.objects.buckets import VARIABLES, Bucket


def test_a_table_is_kept_in_a_bucket_and_comes_back(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    objects = load_settings({"objects_endpoint": bucket.endpoint}).objects
    url = "s3://lending-club/out/balances.parquet"

    for balances in ([1, 2], [1, 3]):
        table = pa.table({"balance": balances})
        written = write_parquet_file(url, table, objects)

        assert str(written.path) == url
        assert bucket.keys("out/") == ["out/balances.parquet"]
        assert read_parquet_file(url, pa.Table, objects) == table
