"""Pages as a real browser shows them."""

import base64
import json
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect


def browse(address: str, folder: Path, milliseconds: int, *options: str) -> tuple[str, str]:
    """Open a page; return its document, once its scripts have run, and what its console says.

    Args:
        address: of the page.
        folder: for what the browser keeps.
        milliseconds: for the scripts, on a clock that stands still while something is loaded.
        options: more of the browser's.
    """
    shown = subprocess.run(
        [
            *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", f"--user-data-dir={folder / 'profile'}"),
            *(f"--virtual-time-budget={milliseconds}", "--enable-logging=stderr", "--dump-dom"),
            *(*options, address),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )
    return shown.stdout, shown.stderr


class Page:
    """A page in which a person clicks and types; https://chromedevtools.github.io/devtools-protocol/."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = count(1)

    def _call(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            said = json.loads(self._socket.recv(timeout=120))
            if said.get("id") == number:
                assert "result" in said, said
                return dict(said["result"])

    def open(self, address: str) -> None:
        """Go to an address."""
        self._call("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """Return what a script says in the page; a promise is waited for."""
        said = self._call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        return said["result"].get("value")

    def wait_for(self, script: str, seconds: float = 120) -> Any:
        """Return what a script says as soon as that is something."""
        deadline = time.monotonic() + seconds
        while True:
            said = self.run(f"(() => {{ try {{ return {script} }} catch {{ return null }} }})()")
            if said:
                return said
            shown = self.run("location.href + ' ' + (document.body || {}).innerText")
            assert time.monotonic() < deadline, f"{script}: not within {seconds} s: {shown}"
            time.sleep(0.3)

    def screenshot(self, file: Path) -> None:
        """Keep what is shown."""
        file.write_bytes(base64.b64decode(self._call("Page.captureScreenshot")["data"]))


@contextmanager
def opened_page(folder: Path, *options: str) -> Iterator[Page]:
    """Give a page of a browser of its own, which knows no one.

    Args:
        folder: for what the browser keeps.
        options: more of the browser's.
    """
    profile = folder / "profile"
    command = [
        *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", f"--user-data-dir={profile}"),
        *("--remote-debugging-port=0", "--window-size=1400,900", *options, "about:blank"),
    ]
    with (folder / "browser.log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        place, deadline = profile / "DevToolsActivePort", time.monotonic() + 60
        while not (place.exists() and place.read_text().count("\n")):
            assert time.monotonic() < deadline, (folder / "browser.log").read_text()
            time.sleep(0.1)
        port = place.read_text().splitlines()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            (target,) = [it for it in json.load(answer) if it["type"] == "page"]
        with connect(target["webSocketDebuggerUrl"], max_size=None) as socket:
            yield Page(socket)
    finally:
        browser.terminate()
        browser.wait(30)
