"""Managers of secrets on loopback, for the vendors' own clients.

AWS Secrets Manager is moto's server. For Azure Key Vault and Google Secret Manager there is none in
a package: `Clouds` answers as their documentation says of the few requests that reading a secret
takes, sign-in included. It stands behind a proxy, as the clients' addresses are the real ones:
https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret,
https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access.
"""

import base64
import datetime as dt
import json
import ssl
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import google.auth.jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from moto.server import ThreadedMotoServer

from tests.operating.receivers import serving

TENANT, APPLICATION, PASSWORD = "5f2c1bb2-0000-4000-8000-000000000001", "pipeline", "azure-canary"
ACCOUNT = "pipeline@bank-data.iam.gserviceaccount.com"
VAULT, PROJECT = "bank.vault.azure.net", "bank-data"
_LOGIN, _GOOGLE = "login.microsoftonline.com", "secretmanager.googleapis.com"
Answer = tuple[int, Mapping[str, Any], Mapping[str, str]]


@contextmanager
def aws() -> Iterator[tuple[Any, dict[str, str]]]:
    """Give a client of a new AWS Secrets Manager, and the variables that lead there."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    variables = {
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "a-secret-that-nobody-may-see",
        "AWS_REGION": "eu-central-1",
    }
    client = boto3.client(
        "secretsmanager",
        region_name="eu-central-1",
        endpoint_url=variables["AWS_ENDPOINT_URL_SECRETS_MANAGER"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    try:
        yield client, variables
    finally:
        # What moto stores belongs to the process and outlives the server.
        for secret in client.list_secrets()["SecretList"]:
            client.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)
        server.stop()


@dataclass
class Clouds:
    """Azure Key Vault and Google Secret Manager, each with its sign-in.

    Attributes:
        variables: lead the clients there, and sign them in.
        secrets: value by host and name.
        forbidden: names that nobody may read.
        asked: host and path of each request.
    """

    variables: dict[str, str]
    key: rsa.RSAPrivateKey
    secrets: dict[tuple[str, str], str] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def answer(self, host: str, path: str, headers: Mapping[str, str], body: str) -> Answer:
        self.asked.append((host, path))
        if host == _LOGIN:
            return self._sign_in(path, urllib.parse.parse_qs(body))
        return (self._azure if host == VAULT else self._google)(path, headers)

    def _sign_in(self, path: str, form: Mapping[str, list[str]]) -> Answer:
        issuer = f"https://{_LOGIN}/{TENANT}"
        if path.endswith("/token"):
            if form.get("client_secret") != [PASSWORD]:
                return 401, {"error": "invalid_client", "error_description": "AADSTS7000215"}, {}
            return 200, {"token_type": "Bearer", "expires_in": 3599, "access_token": "of-azure"}, {}
        return (
            200,
            {
                "tenant_discovery_endpoint": f"{issuer}/v2.0/.well-known/openid-configuration",
                "metadata": [],
                "authorization_endpoint": f"{issuer}/oauth2/v2.0/authorize",
                "token_endpoint": f"{issuer}/oauth2/v2.0/token",
                "issuer": f"{issuer}/v2.0",
            },
            {},
        )

    def _azure(self, path: str, headers: Mapping[str, str]) -> Answer:
        if headers.get("Authorization") != "Bearer of-azure":
            challenge = (
                f'Bearer authorization="https://{_LOGIN}/{TENANT}", '
                'resource="https://vault.azure.net"'
            )
            return 401, {}, {"WWW-Authenticate": challenge}
        name = path.split("/")[2]
        if name in self.forbidden:
            return 403, {"error": {"code": "Forbidden", "message": "of RBAC"}}, {}
        value = self.secrets.get((VAULT, name))
        if value is None:
            return 404, {"error": {"code": "SecretNotFound", "message": "none"}}, {}
        return (
            200,
            {"value": value, "id": f"https://{VAULT}/secrets/{name}/1", "attributes": {}},
            {},
        )

    def _google(self, path: str, headers: Mapping[str, str]) -> Answer:
        try:
            token = headers.get("Authorization", "").removeprefix("Bearer ")
            claims = google.auth.jwt.decode(token, certs=_public(self.key))
        except ValueError:
            claims = {}
        if claims.get("iss") != ACCOUNT:
            return 401, {"error": {"code": 401, "status": "UNAUTHENTICATED"}}, {}
        name = path.split("/")[5]
        if name in self.forbidden:
            return 403, {"error": {"code": 403, "status": "PERMISSION_DENIED"}}, {}
        value = self.secrets.get((PROJECT, name))
        if value is None:
            return 404, {"error": {"code": 404, "status": "NOT_FOUND"}}, {}
        return (
            200,
            {"name": path, "payload": {"data": base64.b64encode(value.encode()).decode()}},
            {},
        )


@contextmanager
def clouds(folder: Path) -> Iterator[Clouds]:
    """Serve both clouds behind a proxy on loopback."""
    key = rsa.generate_private_key(65537, 2048)
    context = _certificate(folder, key, [_LOGIN, VAULT, _GOOGLE])
    (folder / "account.json").write_text(_account(key))
    kept = Clouds({}, key)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_CONNECT(self) -> None:
            self.server_name = self.path.partition(":")[0]
            self.send_response(200)
            self.end_headers()
            # As a proxy does that looks into what it passes on.
            self.connection = context.wrap_socket(self.connection, server_side=True)
            self.rfile = self.connection.makefile("rb")
            self.wfile = self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
            self.close_connection = False

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, said, headers = kept.answer(self.server_name, self.path, self.headers, body)
            content = json.dumps(said).encode()
            self.send_response(status)
            every = {"Content-Type": "application/json", "Content-Length": str(len(content))}
            for name, value in {**every, **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - names of the standard library

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with serving(server) as port:
        kept.variables |= {
            "HTTPS_PROXY": f"http://127.0.0.1:{port}",
            "NO_PROXY": "127.0.0.1,localhost",
            "REQUESTS_CA_BUNDLE": str(folder / "clouds.pem"),
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": APPLICATION,
            "AZURE_CLIENT_SECRET": PASSWORD,
            "GOOGLE_APPLICATION_CREDENTIALS": str(folder / "account.json"),
        }
        yield kept


def _account(key: rsa.RSAPrivateKey) -> str:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return json.dumps(
        {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "1",
            "private_key": private.decode(),
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )


def _public(key: rsa.RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode()


def _certificate(folder: Path, key: rsa.RSAPrivateKey, hosts: list[str]) -> ssl.SSLContext:
    """Write the certificate that clients trust, and return the server's side of TLS."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "clouds of a test")])
    now = dt.datetime.now(dt.UTC)
    uses = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
    ) | {"encipher_only": False, "decipher_only": False, "crl_sign": False}
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, hosts))), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **uses), critical=True
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "clouds.pem").write_bytes(pem)
    both = folder / "server.pem"
    both.touch(mode=0o600)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    both.write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(both)
    return context
