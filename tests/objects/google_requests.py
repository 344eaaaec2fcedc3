"""Requests of the XML API of Google's Cloud Storage, as Google documents them.

A header or a parameter that is not known is refused; see `google_server`.
"""

import base64
import datetime as dt
import email.utils
import gzip
import hashlib
import secrets
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from tests.objects.google_store import ProblemError, Storage, Stored, Upload

STORAGE_CLASSES: Final = {"STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"}
# Of all parts of an upload but the last.
LEAST_PART: Final = 5 * 2**20
# From this size on, Google sends an encoded object in chunks, without its length.
LARGE: Final = 2**20
_MOST_KEYS: Final = 1000
_NAMESPACE: Final = "http://doc.s3.amazonaws.com/2006-03-01"
_OF_TRANSPORT: Final = {
    *("accept", "accept-encoding", "authorization", "connection", "content-length", "host"),
    "user-agent",
}
_OF_OBJECTS: Final = frozenset(
    {
        *("cache-control", "content-disposition", "content-encoding", "content-language"),
        *("content-type", "x-goog-storage-class"),
    }
)
_META: Final = "x-goog-meta-"


@dataclass(frozen=True)
class Asked:
    """A request, taken apart."""

    method: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True)
class Answer:
    """What the server answers.

    Attributes:
        has_length: whether the answer says how long it is.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    has_length: bool = True


def serve(storage: Storage, asked: Asked) -> Answer:
    """Answer a request of somebody who has the right to it."""
    special = sorted(set(asked.query) & {"partNumber", "uploadId", "uploads"})
    copy = ["copy"] if asked.header("x-goog-copy-source") else []
    name = " ".join([asked.method, "object" if asked.key else "bucket", *special, *copy])
    operation = _OPERATIONS.get(name)
    if operation is None:
        raise ProblemError(501, "NotImplemented", f"This server does not know {name}.")
    headers = set(asked.headers) - operation.headers - _OF_TRANSPORT
    if operation.takes_metadata:
        headers = {it for it in headers if not it.startswith(_META)}
    if unknown := headers | (set(asked.query) - operation.queries):
        raise ProblemError(400, "InvalidArgument", f"Unknown in {name}: {sorted(unknown)}")
    return operation.answer(storage, asked)


def _list(storage: Storage, asked: Asked) -> Answer:
    query = asked.query
    if query.get("list-type") != "2":
        raise ProblemError(501, "NotImplemented", "This server knows lists of version 2 alone.")
    most = min(int(query.get("max-keys", _MOST_KEYS)), _MOST_KEYS)
    after = query.get("start-after", "")
    if token := query.get("continuation-token"):
        after = base64.urlsafe_b64decode(token).decode()
    prefix, objects = query.get("prefix", ""), storage.bucket(asked.bucket)
    names = dict.fromkeys(
        _folded(key, prefix, query.get("delimiter", "")) for key in sorted(objects)
    )
    wanted = [name for name in names if name.startswith(prefix) and name > after]
    root = ET.Element("ListBucketResult", xmlns=_NAMESPACE)
    add_texts(root, Name=asked.bucket, Prefix=prefix, KeyCount=len(wanted[:most]))
    for name in wanted[:most]:
        if name in objects:
            _describe(ET.SubElement(root, "Contents"), name, objects[name])
        else:
            add_texts(ET.SubElement(root, "CommonPrefixes"), Prefix=name)
    is_truncated = len(wanted) > most
    add_texts(root, IsTruncated=str(is_truncated).lower())
    if is_truncated:
        token = base64.urlsafe_b64encode(wanted[most - 1].encode()).decode()
        add_texts(root, NextContinuationToken=token)
    return xml_answer(root)


def _folded(key: str, prefix: str, delimiter: str) -> str:
    """Return a key, or the common prefix that stands for it."""
    if not delimiter or not key.startswith(prefix):
        return key
    first, cut, _ = key.removeprefix(prefix).partition(delimiter)
    return prefix + first + cut


def _describe(element: ET.Element, key: str, stored: Stored) -> None:
    add_texts(
        element,
        Key=key,
        Generation=stored.generation,
        MetaGeneration=1,
        LastModified=_iso(stored.written),
        ETag=stored.etag,
        Size=len(stored.body),
    )


def add_texts(element: ET.Element, **texts: object) -> None:
    for name, text in texts.items():
        ET.SubElement(element, name).text = str(text)


def xml_answer(root: ET.Element, **headers: str) -> Answer:
    body = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return Answer(200, {"Content-Type": "application/xml; charset=UTF-8", **headers}, body)


def _read(storage: Storage, asked: Asked) -> Answer:
    stored = storage.bucket(asked.bucket).get(asked.key)
    generation = asked.query.get("generation")
    if stored is None or (generation and generation != str(stored.generation)):
        raise ProblemError(404, "NoSuchKey", "The specified key does not exist.")
    if asked.header("if-match") not in ("", "*", stored.etag):
        raise ProblemError(412, "PreconditionFailed", "At least one condition does not hold.")
    if asked.header("if-none-match") == stored.etag:
        return Answer(304)
    headers = {
        **stored.headers,
        "Last-Modified": email.utils.format_datetime(stored.written, usegmt=True),
        "ETag": stored.etag,
        "x-goog-generation": str(stored.generation),
        "x-goog-metageneration": "1",
        "x-goog-stored-content-encoding": stored.encoding or "identity",
        "x-goog-stored-content-length": str(len(stored.body)),
    }
    if storage.kms_key:
        headers["x-goog-encryption-kms-key-name"] = storage.kms_key
    if stored.encoding == "gzip":
        return _encoded(stored, asked, headers)
    if asked.header("range"):
        return _part_of(stored.body, asked.header("range"), headers)
    return Answer(200, headers, stored.body)


def _encoded(stored: Stored, asked: Asked, headers: dict[str, str]) -> Answer:
    """Answer with an object whose encoding Google takes off for who does not accept it."""
    may_stay = "no-transform" in stored.headers.get("cache-control", "")
    if may_stay or "gzip" in asked.header("accept-encoding"):
        return Answer(200, headers, stored.body, has_length=len(stored.body) < LARGE)
    kept = {it: text for it, text in headers.items() if it not in ("ETag", "content-encoding")}
    kept["x-guploader-response-body-transformations"] = "gunzipped"
    return Answer(200, kept, gzip.decompress(stored.body), has_length=False)


def _part_of(body: bytes, wanted: str, headers: dict[str, str]) -> Answer:
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    begin, end = int(first), min(int(last or len(body)), len(body) - 1)
    if begin > end:
        raise ProblemError(416, "InvalidRange", "The requested range cannot be satisfied.")
    given = {**headers, "Content-Range": f"bytes {begin}-{end}/{len(body)}"}
    return Answer(206, given, body[begin : end + 1])


def _kept_headers(asked: Asked) -> dict[str, str]:
    kept = {
        name: text
        for name, text in asked.headers.items()
        if name in _OF_OBJECTS or name.startswith(_META)
    }
    kept.setdefault("x-goog-storage-class", "STANDARD")
    if kept["x-goog-storage-class"] not in STORAGE_CLASSES:
        raise ProblemError(400, "InvalidStorageClass", "The storage class is not valid.")
    return kept


def _write(storage: Storage, asked: Asked) -> Answer:
    known = storage.bucket(asked.bucket).get(asked.key)
    if wanted := asked.header("x-goog-if-generation-match"):
        found = known.generation if known else 0
        if not wanted.isdigit():
            raise ProblemError(400, "InvalidArgument", "A generation is a number.")
        if int(wanted) != found:
            raise ProblemError(412, "PreconditionFailed", "At least one condition does not hold.")
    stored = storage.write(asked.bucket, asked.key, asked.body, _kept_headers(asked))
    return _written(stored)


def _copy(storage: Storage, asked: Asked) -> Answer:
    bucket, _, key = unquote(asked.header("x-goog-copy-source")).lstrip("/").partition("/")
    source = storage.bucket(bucket).get(key)
    if source is None:
        raise ProblemError(404, "NoSuchKey", "The specified key does not exist.")
    stored = storage.write(asked.bucket, asked.key, source.body, source.headers)
    root = ET.Element("CopyObjectResult", xmlns=_NAMESPACE)
    add_texts(root, LastModified=_iso(stored.written), ETag=stored.etag)
    return xml_answer(root, **{"x-goog-generation": str(stored.generation)})


def _iso(moment: dt.datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written(stored: Stored) -> Answer:
    return Answer(200, {"ETag": stored.etag, "x-goog-generation": str(stored.generation)})


def _begin(storage: Storage, asked: Asked) -> Answer:
    storage.bucket(asked.bucket)
    name = secrets.token_hex(8)
    storage.uploads[name] = Upload(asked.key, _kept_headers(asked))
    root = ET.Element("InitiateMultipartUploadResult", xmlns=_NAMESPACE)
    add_texts(root, Bucket=asked.bucket, Key=asked.key, UploadId=name)
    return xml_answer(root)


def _upload(storage: Storage, asked: Asked) -> Upload:
    upload = storage.uploads.get(asked.query["uploadId"])
    if upload is None or upload.key != asked.key:
        raise ProblemError(404, "NoSuchUpload", "The specified upload does not exist.")
    return upload


def _take_part(storage: Storage, asked: Asked) -> Answer:
    number = int(asked.query["partNumber"])
    if not 1 <= number <= 10_000:
        raise ProblemError(400, "InvalidArgument", "Part numbers go from 1 to 10000.")
    _upload(storage, asked).parts[number] = asked.body
    return Answer(200, {"ETag": _tag_of_part(asked.body)})


def _tag_of_part(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def _complete(storage: Storage, asked: Asked) -> Answer:
    upload, listed = _upload(storage, asked), ET.fromstring(asked.body)  # noqa: S314 - a test's own
    parts = [(int(it.findtext("PartNumber", "0")), it.findtext("ETag", "")) for it in listed]
    numbers = [number for number, _ in parts]
    if listed.tag != "CompleteMultipartUpload" or not parts:
        raise ProblemError(400, "MalformedXML", "The XML is not well-formed.")
    if numbers != sorted(set(numbers)):
        raise ProblemError(400, "InvalidPartOrder", "The parts are not in order.")
    bodies = [upload.parts.get(number, b"") for number in numbers]
    if [_tag_of_part(body) for body in bodies] != [tag for _, tag in parts]:
        raise ProblemError(400, "InvalidPart", "A part is not there, or has another ETag.")
    if any(len(body) < LEAST_PART for body in bodies[:-1]):
        raise ProblemError(400, "EntityTooSmall", "A part is smaller than is allowed.")
    stored = storage.write_tagged(
        asked.bucket, asked.key, b"".join(bodies), upload.headers, etag=None
    )
    del storage.uploads[asked.query["uploadId"]]
    root = ET.Element("CompleteMultipartUploadResult", xmlns=_NAMESPACE)
    add_texts(root, Bucket=asked.bucket, Key=asked.key, ETag=stored.etag)
    return xml_answer(root, **{"x-goog-generation": str(stored.generation)})


def _abort(storage: Storage, asked: Asked) -> Answer:
    _upload(storage, asked)
    del storage.uploads[asked.query["uploadId"]]
    return Answer(204)


def _delete(storage: Storage, asked: Asked) -> Answer:
    if storage.bucket(asked.bucket).pop(asked.key, None) is None:
        raise ProblemError(404, "NoSuchKey", "The specified key does not exist.")
    return Answer(204)


@dataclass(frozen=True)
class Operation:
    """What the API documents of a request, as far as the server knows it."""

    answer: Callable[[Storage, Asked], Answer]
    queries: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset({"content-type"})
    takes_metadata: bool = False


_LIST_QUERIES: Final = frozenset(
    {"list-type", "prefix", "delimiter", "max-keys", "start-after", "continuation-token"}
)
_READ: Final = Operation(
    _read, frozenset({"generation"}), frozenset({"if-match", "if-none-match", "range"})
)
_OPERATIONS: Final = {
    "GET bucket": Operation(_list, _LIST_QUERIES, frozenset()),
    "GET object": _READ,
    "HEAD object": _READ,
    "PUT object": Operation(
        _write,
        headers=_OF_OBJECTS | {"x-goog-if-generation-match"},
        takes_metadata=True,
    ),
    "PUT object copy": Operation(_copy, headers=frozenset({"x-goog-copy-source"})),
    "POST object uploads": Operation(
        _begin, frozenset({"uploads"}), _OF_OBJECTS, takes_metadata=True
    ),
    "PUT object partNumber uploadId": Operation(_take_part, frozenset({"partNumber", "uploadId"})),
    "POST object uploadId": Operation(_complete, frozenset({"uploadId"})),
    "DELETE object uploadId": Operation(_abort, frozenset({"uploadId"})),
    "DELETE object": Operation(_delete),
}
