"""What reads and writes assets in Python finds them in a bucket as in a folder."""

import pyarrow as pa

from lending_club_pipeline.config.settings import load_settings
from lending_club_pipeline.publish.parquet_files import read_parquet_file, write_parquet_file
from tests.objects.buckets import Bucket


def test_a_table_is_kept_in_a_bucket_and_comes_back(bucket: Bucket) -> None:
    objects = load_settings({"objects_endpoint": bucket.endpoint}).objects
    url = bucket.url("out/balances.parquet")

    for balances in ([1, 2], [1, 3]):
        table = pa.table({"balance": balances})
        written = write_parquet_file(url, table, objects)

        assert str(written.path) == url
        assert bucket.keys("out/") == ["out/balances.parquet"]
        assert read_parquet_file(url, pa.Table, objects) == table
