"""The gateway of `deploy/`: nginx with the file that we deliver, on loopback."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.operating.programs import DEPLOY, answers, program, started


@contextmanager
def nginx(
    folder: Path,
    listen: str,
    upstreams: Mapping[str, int],
    outputs: Path,
    scheme: str = "http",
) -> Iterator[Path]:
    """Run it, and give the file of its log.

    Args:
        folder: for its files.
        listen: what stands behind `listen`.
        upstreams: port on loopback of each server, by its address in the file.
        outputs: folder of the outputs.
        scheme: `https` if it listens with a certificate.
    """
    folder.chmod(0o755)
    text = (DEPLOY / "gateway" / "nginx.conf").read_text()
    for name, value in {
        "/tmp/": f"{folder}/",  # noqa: S108 - the text of the file
        **{name: f"127.0.0.1:{port}" for name, port in upstreams.items()},
        "listen 8080": f"listen {listen}",
        "default /outputs;": f"default {outputs};",
    }.items():
        assert name in text
        text = text.replace(name, value)
    (folder / "nginx.conf").write_text(text)
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    # Otherwise those who serve may not read folders of tests.
    command += ["-g", f"daemon off; user {getpass.getuser()};"]
    address, log = listen.split(maxsplit=1)[0].rstrip(";"), folder / "nginx.log"
    with started(command, answers(f"{scheme}://{address}/healthz"), log):
        yield log
