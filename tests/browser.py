"""Pages as a real browser shows them."""

import subprocess
from pathlib import Path


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
