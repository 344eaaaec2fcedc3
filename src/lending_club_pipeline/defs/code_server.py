"""Dagster's code server in a container: it closes lost runs and loads changed files.

Dagster's own server does not watch files, and after a restart it does not know the runs that ended
with it.
"""

import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from lending_club_pipeline.contract.errors import ServiceError
from lending_club_pipeline.defs.abandoned_runs import UNDER_WAY
from lending_club_pipeline.defs.web_server import NoAnswerError, reload_definitions

MODULE: Final = "lending_club_pipeline.definitions"
LOCATION: Final = "lending-club"
# Dagster sets this tag only on runs that live in a code server.
_LIVES_IN_CODE_SERVER: Final = ".dagster/grpc_info"
_RETRY_SECONDS: Final = 2.0
_RETRIES: Final = 30

logger = logging.getLogger(__name__)


def close_lost_runs(instance: dg.DagsterInstance) -> list[str]:
    """Mark the runs that ended with an earlier code server as failed; return their ids.

    Dagster's default launcher cannot check these runs, and the queue would wait for them. Call this
    before a code server starts, and only if there is just one code server.
    """
    unfinished = instance.get_runs(dg.RunsFilter(statuses=list(UNDER_WAY)))
    lost = [run for run in unfinished if _LIVES_IN_CODE_SERVER in run.tags]
    for run in lost:
        if run.status is dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, "The code server in which it ran has ended.")
        else:
            instance.report_run_failed(run, "The code server in which it ran has ended.")
    return [run.run_id for run in lost]


def serve_code(host: str, port: int, watched: Sequence[Path], web_server: str) -> int:
    """Serve the definitions until this process is told to end; return the exit code.

    Args:
        host: address to listen on.
        port: port to listen on.
        watched: folders; when a file in them changes, the definitions are reloaded.
        web_server: address of the web server that is asked to do so.
    """
    with dg.DagsterInstance.get() as instance:
        for run_id in close_lost_runs(instance):
            logger.warning("Run %s ended with the code server before; marked as failed.", run_id)
    command = [sys.executable, "-m", "dagster", "code-server", "start"]
    address = ["--host", host, "--port", str(port)]
    process = subprocess.Popen([*command, *address, "-m", MODULE, "--location-name", LOCATION])
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.terminate())
    try:
        if watched:
            _watch(watched, web_server, _ended(process))
        return process.wait()
    finally:
        # If watching ends, end the server, too: otherwise it would silently ignore changes.
        process.terminate()


def _ended(process: subprocess.Popen[bytes]) -> threading.Event:
    """Return an event that is set when a process has ended."""
    event = threading.Event()

    def wait() -> None:
        process.wait()
        event.set()

    threading.Thread(target=wait, daemon=True).start()
    return event


def _watch(folders: Sequence[Path], web_server: str, ended: threading.Event) -> None:
    import watchfiles  # noqa: PLC0415 - only who develops has it

    for changes in watchfiles.watch(*folders, stop_event=ended):
        names = sorted(Path(path).name for _, path in changes)
        logger.warning("Changed: %s. Reloading the definitions.", ", ".join(names[:5]))
        _reload(web_server)


def _reload(web_server: str) -> None:
    for _ in range(_RETRIES):
        try:
            reload_definitions(web_server, LOCATION)
        except NoAnswerError as error:
            logger.warning("%s", error)
            time.sleep(_RETRY_SECONDS)
        except ServiceError as error:
            logger.warning("%s", error)
            return
        else:
            logger.warning("The definitions are loaded.")
            return
