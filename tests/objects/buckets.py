"""A bucket on this machine, as a test sees it: apart from the pipeline and its client.

S3 is moto's server, Google's Cloud Storage one of ours (`google_server`).
"""

import datetime as dt
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from moto.server import ThreadedMotoServer

from lending_club_pipeline.config.settings import DataPlatformConfig
from tests.objects import google_server
from tests.objects.google_store import Storage, Upload
from tests.workspaces import AS_OF, Workspace

NAME = "lending-club"
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "a-secret-that-nobody-may-see",
    "AWS_REGION": "eu-central-1",
}
_ACCOUNT = "pipeline@project.iam.gserviceaccount.com"


class Bucket(ABC):
    """A bucket of a server.

    Attributes:
        scheme: of its URLs.
        endpoint: address of the server.
        variables: environment variables with the credentials.
        secret: part of the credentials that nobody may see.
    """

    scheme: str
    endpoint: str
    variables: Mapping[str, str]
    secret: str
    name: str = NAME

    @abstractmethod
    def put(self, key: str, body: bytes) -> None:
        """Write an object."""

    @abstractmethod
    def get(self, key: str) -> bytes:
        """Read an object."""

    @abstractmethod
    def remove(self, key: str) -> None:
        """Remove an object."""

    @abstractmethod
    def keys(self, prefix: str = "") -> list[str]:
        """List the names of objects."""

    @abstractmethod
    def begin_upload(self, key: str, body: bytes) -> None:
        """Upload an object in parts, without completing it."""

    @abstractmethod
    def put_in_parts(self, key: str, body: bytes) -> None:
        """Write an object in another way, so that its ETag is another."""

    def url(self, key: str) -> str:
        return f"{self.scheme}://{self.name}/{key}"

    def deliver(self, folder: Path, prefix: str = "in") -> None:
        """Upload the deliveries of a folder."""
        for file in sorted(folder.rglob("*.*")):
            self.put(f"{prefix}/{file.relative_to(folder)}", file.read_bytes())

    def manifest(self, prefix: str = "out") -> dict[str, Any]:
        return json.loads(self.get(f"{prefix}/manifest.json"))

    def empty(self) -> None:
        for key in self.keys():
            self.remove(key)


class S3Bucket(Bucket):
    """A bucket of S3, by a client of another maker than the pipeline's."""

    scheme = "s3"
    variables = VARIABLES
    secret = VARIABLES["AWS_SECRET_ACCESS_KEY"]

    def __init__(self, client: Any, endpoint: str) -> None:
        self.client = client
        self.endpoint = endpoint

    def put(self, key: str, body: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def remove(self, key: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=key)

    def head(self, key: str) -> dict[str, Any]:
        return self.client.head_object(Bucket=self.name, Key=key)

    def keys(self, prefix: str = "") -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=prefix
        )
        return [it["Key"] for page in pages for it in page.get("Contents", [])]

    def begin_upload(self, key: str, body: bytes) -> None:
        self._begin(key, body)

    def put_in_parts(self, key: str, body: bytes) -> None:
        part, tag = self._begin(key, body)
        parts = {"Parts": [{"ETag": tag, "PartNumber": 1}]}
        self.client.complete_multipart_upload(**part, MultipartUpload=parts)

    def _begin(self, key: str, body: bytes) -> tuple[dict[str, str], str]:
        begun = self.client.create_multipart_upload(Bucket=self.name, Key=key)
        part = {"Bucket": self.name, "Key": key, "UploadId": begun["UploadId"]}
        sent = self.client.upload_part(**part, PartNumber=1, Body=body)
        return part, sent["ETag"]


class GoogleBucket(Bucket):
    """A bucket of Google's Cloud Storage, by what the server holds."""

    scheme = "gs"

    def __init__(self, storage: Storage, endpoint: str, account: Path) -> None:
        self.storage = storage
        self.endpoint = endpoint
        self.variables = {"GOOGLE_APPLICATION_CREDENTIALS": str(account)}
        self.secret = json.loads(account.read_text())["private_key"].splitlines()[1]

    def put(self, key: str, body: bytes, **headers: str) -> None:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        self.storage.write(self.name, key, body, given)

    def get(self, key: str) -> bytes:
        return self.storage.objects[self.name][key].body

    def remove(self, key: str) -> None:
        del self.storage.objects[self.name][key]

    def headers(self, key: str) -> dict[str, str]:
        """What was said of an object when it was written."""
        return self.storage.objects[self.name][key].headers

    def keys(self, prefix: str = "") -> list[str]:
        return sorted(it for it in self.storage.objects[self.name] if it.startswith(prefix))

    def begin_upload(self, key: str, body: bytes) -> None:
        self.storage.uploads["begun"] = Upload(key, {}, {1: body})

    def put_in_parts(self, key: str, body: bytes) -> None:
        self.storage.write_tagged(self.name, key, body, {}, etag=None)

    def empty(self) -> None:
        super().empty()
        self.storage.uploads.clear()


@contextmanager
def running() -> Iterator[S3Bucket]:
    """Give an empty bucket of S3, of a server that runs while the body does."""
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
        bucket = S3Bucket(client, endpoint)
        bucket.empty()
        yield bucket
    finally:
        server.stop()


@contextmanager
def google_running(folder: Path) -> Iterator[GoogleBucket]:
    """Give an empty bucket of Google's; the key of its service account lies in the folder."""
    storage = Storage(objects={NAME: {}})
    account = make_account(folder, storage)
    with google_server.running(storage) as endpoint:
        yield GoogleBucket(storage, endpoint, account)


def make_account(folder: Path, storage: Storage | None = None) -> Path:
    """Write the key file of a new service account, which a storage may know."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if storage is not None:
        storage.accounts["key-1"] = (_ACCOUNT, key.public_key())
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    path = folder / "service-account.json"
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "private_key_id": "key-1",
                "private_key": text,
                "client_email": _ACCOUNT,
            }
        )
    )
    return path


@dataclass
class ObjectWorkspace(Workspace):
    """A workspace whose inputs and outputs are in a bucket."""

    bucket: Bucket = field(kw_only=True)
    endpoint: str = field(kw_only=True)

    @property
    def _places(self) -> dict[str, str]:
        return {
            "INPUT_PATH": self.bucket.url("in"),
            "OUTPUT_PATH": self.bucket.url("out"),
            "OBJECTS_ENDPOINT": self.endpoint,
        }

    def settings(self, **overrides: object) -> DataPlatformConfig:
        given = {name.lower(): value for name, value in self._places.items()}
        return super().settings(**{**given, **overrides})

    def variables(self) -> dict[str, str]:
        return {**super().variables(), **self.bucket.variables, **self._places}

    def deliver(
        self, customers: str | bytes, accounts: str | bytes, as_of: dt.date = AS_OF
    ) -> Path:
        """Put a delivery into the bucket."""
        folder = super().deliver(customers, accounts, as_of)
        self.bucket.deliver(self.inputs)
        return folder
