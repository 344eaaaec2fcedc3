"""A command in a network of its own, from which a few ports of this machine are reached.

As a program it is the inner side: `python -m tests.deployment.namespace FOUND PORT=SOCKET ... --
COMMAND ...` runs the command and writes what it found as JSON.
"""

import asyncio
import json
import os
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# Who is not root becomes it within, to set up loopback; root keeps its rights on files.
_ALONE = ("unshare", "--net", *(("--map-root-user",) if os.geteuid() else ()))
_LOOPBACK = 'ip link set lo up && exec "$@"'
_CHUNK = 65_536
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code.
        said: what it printed.
        connections: how often it connected to each port.
        elsewhere: how often it tried to reach anything else.
    """

    code: int
    said: str
    connections: Mapping[int, int]
    elsewhere: int


def why_none() -> str | None:
    """Say why no network of its own can be had here, or None if one can."""
    try:
        tried = subprocess.run(
            [*_ALONE, "sh", "-c", _LOOPBACK, "sh", "true"], capture_output=True, check=False
        )
    except FileNotFoundError:
        return "unshare is not installed"
    return None if tried.returncode == 0 else tried.stderr.decode()


def run_alone(
    command: Sequence[str], environment: Mapping[str, str], ports: Collection[int], timeout: float
) -> Ended:
    """Run a command that reaches nothing but ports of loopback."""
    with tempfile.TemporaryDirectory(prefix="net-") as name:
        folder = Path(name)
        sockets = {port: folder / f"{port}.sock" for port in ports}
        with _loop() as loop:
            asyncio.run_coroutine_threadsafe(_serve_outside(sockets), loop).result(30)
            done = subprocess.run(
                [
                    *(*_ALONE, "sh", "-c", _LOOPBACK, "sh"),
                    *(sys.executable, "-m", __name__, str(folder / "found.json")),
                    *(f"{port}={path}" for port, path in sockets.items()),
                    *("--", *command),
                ],
                env=environment,
                cwd=Path(__file__).parents[2],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=timeout,
                check=False,
            )
        found = json.loads((folder / "found.json").read_text())
    connections = {int(port): count for port, count in found["connections"].items()}
    return Ended(done.returncode, done.stdout, connections, found["elsewhere"])


async def _serve_outside(sockets: Mapping[int, Path]) -> None:
    for port, path in sockets.items():
        await asyncio.start_unix_server(
            _forwarding(lambda port=port: asyncio.open_connection("127.0.0.1", port)), path
        )


def _forwarding(
    connect: Callable[[], Awaitable[Streams]],
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await connect()
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    return forward


@contextmanager
def tls(context: ssl.SSLContext, listen: int, port: int) -> Iterator[None]:
    """Take what comes by TLS to a port of loopback, and hand it to another port.

    Args:
        context: the server's side of TLS.
        listen: the port that browsers come to.
        port: that of the server behind it.
    """
    forward = _forwarding(lambda: asyncio.open_connection("127.0.0.1", port))
    with _loop() as loop:
        serving = asyncio.start_server(forward, "127.0.0.1", listen, ssl=context)
        asyncio.run_coroutine_threadsafe(serving, loop).result(30)
        yield


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run a loop of its own beside what the body does."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        # Either side may end a connection as it likes; the other one is told by its end.
        pass
    finally:
        writer.close()


async def _run_inside(sockets: Mapping[int, str], command: Sequence[str]) -> tuple[int, dict]:
    connections = dict.fromkeys(sockets, 0)

    def connecting(port: int) -> Callable[[], Awaitable[Streams]]:
        def connect() -> Awaitable[Streams]:
            connections[port] += 1
            return asyncio.open_unix_connection(sockets[port])

        return connect

    for port in sockets:
        await asyncio.start_server(_forwarding(connecting(port)), "127.0.0.1", port)
    process = await asyncio.create_subprocess_exec(*command)
    code = await process.wait()
    return code, {"connections": connections, "elsewhere": _without_route()}


def _without_route() -> int:
    """Return how many connections and packets of this network found no way out of it."""
    names, values = (
        line.split()[1:]
        for line in Path("/proc/net/snmp").read_text().splitlines()
        if line.startswith("Ip:")
    )
    newer = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(newer["Ip6OutNoRoutes"])


def main(arguments: Sequence[str]) -> int:
    """Run the inner side; return the command's exit code."""
    found, *rest = arguments
    end = rest.index("--")
    sockets = {int(port): path for port, path in (it.split("=", 1) for it in rest[:end])}
    code, result = asyncio.run(_run_inside(sockets, rest[end + 1 :]))
    Path(found).write_text(json.dumps(result))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
