"""A bucket of a real S3 server on this machine, as a test sees it: apart from the pipeline."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

from lending_club_pipeline.config.settings import DataPlatformConfig
from tests.workspaces import AS_OF, Workspace

NAME = "lending-club"
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "a-secret-that-nobody-may-see",
    "AWS_REGION": "eu-central-1",
}


@dataclass(frozen=True)
class Bucket:
    """A bucket, by a client of another maker than the pipeline's."""

    client: Any
    endpoint: str
    name: str = NAME

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def head(self, key: str) -> dict[str, Any]:
        return self.client.head_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [it["Key"] for page in pages for it in page.get("Contents", [])]

    def deliver(self, folder: Path, prefix: str = "in") -> None:
        """Upload the deliveries of a folder."""
        for file in sorted(folder.rglob("*.*")):
            self.put(f"{prefix}/{file.relative_to(folder)}", file.read_bytes())

    def manifest(self, prefix: str = "out") -> dict[str, Any]:
        return json.loads(self.get(f"{prefix}/manifest.json"))

    def empty(self) -> None:
        for key in self.keys():
            self.client.delete_object(Bucket=self.name, Key=key)


@contextmanager
def running() -> Iterator[Bucket]:
    """Give an empty bucket of a server that runs while the body does."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name=VARIABLES["AWS_REGION"],
            aws_access_key_id=VARIABLES["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
        )
        region = {"LocationConstraint": VARIABLES["AWS_REGION"]}
        # Servers of one process share what they hold.
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=NAME, CreateBucketConfiguration=region)
        bucket = Bucket(client, endpoint)
        bucket.empty()
        yield bucket
    finally:
        server.stop()


@dataclass
class ObjectWorkspace(Workspace):
    """A workspace whose inputs and outputs are in a bucket."""

    bucket: Bucket = field(kw_only=True)
    endpoint: str = field(kw_only=True)

    @property
    def variables(self) -> dict[str, str]:
        return {
            "INPUT_PATH": f"s3://{self.bucket.name}/in",
            "OUTPUT_PATH": f"s3://{self.bucket.name}/out",
            "OBJECTS_ENDPOINT": self.endpoint,
        }

    def settings(self, **overrides: object) -> DataPlatformConfig:
        given = {name.lower(): value for name, value in self.variables.items()}
        return super().settings(**{**given, **overrides})

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **VARIABLES, **self.variables}

    def deliver(
        self, customers: str | bytes, accounts: str | bytes, as_of: dt.date = AS_OF
    ) -> Path:
        """Put a delivery into the bucket."""
        folder = super().deliver(customers, accounts, as_of)
        self.bucket.deliver(self.inputs)
        return folder
