"""Starts a SQL warehouse: `python -m databricks_stand_in`, or `databricks-stand-in`.

Prints the path of an `.env` file that points a client at it, then `ready`.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from databricks_stand_in.warehouse import SqlWarehouse


def _wait(process: int | None) -> None:
    """Return at a signal to end, or when another process has ended."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(0.5):
        if process is not None and not _is_alive(process):
            return


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _variable(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not name or not sign:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="databricks-stand-in", description=__doc__)
    parser.add_argument("--folder", type=Path, help="keep state here instead of a temporary folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--heap", default="2g", help="memory of Spark's Java heap (default: 2g)")
    parser.add_argument(
        "--interpreted",
        action="store_true",
        help="be quicker with small statements, slow with large",
    )
    parser.add_argument("--until", type=int, metavar="PID", help="end when this process has ended")
    parser.add_argument(
        "--set",
        type=_variable,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="add a variable to the .env file, or change one, such as DATABRICKS_SCHEMA=mine",
    )
    return parser.parse_args()


def main() -> None:
    """Serve until told to stop."""
    arguments = _arguments()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="sql-warehouse-"))
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    try:
        warehouse = SqlWarehouse(
            folder, arguments.port, arguments.heap, interpreted=arguments.interpreted
        )
        sys.stdout.write(f"{warehouse.write_environment(dict(arguments.set))}\nready\n")
        sys.stdout.flush()
        sys.stderr.write(f"started in {time.monotonic() - started:.1f} s; Ctrl-C ends it\n")
        _wait(arguments.until)
        warehouse.stop()
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
