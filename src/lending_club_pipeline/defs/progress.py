"""Progress of a run for the command line: messages that Dagster does not keep.

Every event in Dagster's log costs a transaction; a run of the sample would spend a tenth of its
time on them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

PROGRESS: Final = "progress"
# Frequent steps are messages of level DEBUG; the code that shows messages sets the level.
_NAME: Final = "lending_club_pipeline.progress"


def _logger() -> logging.Logger:
    """Return the logger, which passes all messages unless a level is set."""
    logger = logging.getLogger(_NAME)
    logger.propagate = False
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.DEBUG)
    return logger


progress_logger = dg.LoggerDefinition(
    lambda _: _logger(), description="Hands the messages of assets to the followers of the run."
)


class _Forwarding(logging.Handler):
    def __init__(self, on_message: Callable[[str], None]) -> None:
        super().__init__()
        self._on_message = on_message

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        # Dagster's own events and errors are for its event log; the cause of a failure is reported
        # when the run has ended.
        if meta.get("dagster_event") is None and record.levelno < logging.ERROR:
            # The lines after the first one are details for the event log.
            message = str(meta.get("orig_message", record.getMessage()))
            self._on_message(message.partition("\n")[0])


def show_progress(message: str) -> None:
    """Send a text to the followers of the run; Dagster's event log does not keep it."""
    logging.getLogger(_NAME).info(message)


def show_step(message: str) -> None:
    """Show one of many steps, which is visible only with `--verbose` or on a terminal."""
    logging.getLogger(_NAME).debug(message)


@contextmanager
def following(on_message: Callable[[str], None]) -> Iterator[None]:
    """Call `on_message` for each message of an asset while the body runs."""
    handler = _Forwarding(on_message)
    logger = _logger()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
