"""Delta Lake's jars: fetched once by Ivy, the resolver that comes with Spark, and checked.

`python -m databricks_stand_in.jars` fills the cache. A company's own repository is named by an Ivy
settings file in `DELTA_JARS_IVY_SETTINGS`.
"""

import hashlib
import os
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import pyspark
from cryptography import x509
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from databricks_stand_in.java import java_command

VERSION: Final = "4.4.0"

# What `io.delta` published under these coordinates; anything else is refused.
SHA256: Final = {
    "delta-spark_2.13": "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead",
    "delta-storage": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
}


class JarError(Exception):
    """A jar could not be fetched, or is not the one that was published."""


def cache_folder() -> Path:
    """Return the folder that keeps the jars between runs."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return home / "databricks-stand-in" / "jars"


def delta_jars(folder: Path | None = None) -> list[Path]:
    """Return the paths of Delta Lake's jars, fetched if they are not there yet.

    Raises:
        JarError: a jar cannot be fetched, or its SHA-256 differs.
    """
    folder = folder or cache_folder()
    jars = [folder / f"{artifact}-{VERSION}.jar" for artifact in SHA256]
    for artifact, jar in zip(SHA256, jars, strict=True):
        if not jar.exists():
            _fetch(artifact, jar)
        _check(jar, SHA256[artifact])
    return jars


def _check(jar: Path, expected: str) -> None:
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    if found != expected:
        jar.unlink()
        raise JarError(f"{jar}: SHA-256 is {found}, not {expected}; removed. Start again.")


def _fetch(artifact: str, jar: Path) -> None:
    jar.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=jar.parent) as folder:
        arrived = Path(folder) / jar.name
        command = [
            *java_command(),
            *_trust(Path(folder)),
            *("-cp", str(Path(pyspark.__file__).parent / "jars" / "*"), "org.apache.ivy.Main"),
            *_settings(),
            *("-cache", f"{folder}/ivy", "-notransitive", "-confs", "default"),
            *("-dependency", "io.delta", artifact, VERSION),
            *("-retrieve", f"{folder}/[artifact]-[revision].[ext]"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not arrived.exists():
            raise JarError(f"{jar.name} could not be fetched:\n{done.stdout[-2000:]}{done.stderr}")
        arrived.replace(jar)


def _settings() -> list[str]:
    settings = os.environ.get("DELTA_JARS_IVY_SETTINGS")
    return ["-settings", settings] if settings else []


def _trust(folder: Path) -> list[str]:
    """Let Java trust the authorities that this machine trusts, which its own list may not have."""
    authorities = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not authorities:
        return []
    store = folder / "trusted.p12"
    certificates = [
        pkcs12.PKCS12Certificate(x509.load_der_x509_certificate(der), f"ca-{number}".encode())
        for number, der in enumerate(authorities)
    ]
    store.write_bytes(pkcs12.serialize_java_truststore(certificates, NoEncryption()))
    return [f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStoreType=PKCS12"]


if __name__ == "__main__":
    for path in delta_jars():
        print(path)  # noqa: T201 - what the command is for
