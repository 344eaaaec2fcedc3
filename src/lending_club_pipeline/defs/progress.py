"""How the command line follows a run: messages that it shows and Dagster does not keep.

Every event in Dagster's log costs a transaction; a run of the sample would spend a tenth of its
time on them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import dagster as dg

PROGRESS: Final = "progress"
_NAME: Final = "lending_club_pipeline.progress"


def _logger(init_context: dg.InitLoggerContext) -> logging.Logger:  # noqa: ARG001 - Dagster gives it
    logger = logging.getLogger(_NAME)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


progress_logger = dg.LoggerDefinition(
    _logger, description="Hands the messages of assets to whoever follows the run."
)


class _Forwarding(logging.Handler):
    def __init__(self, on_message: Callable[[str], None]) -> None:
        super().__init__(logging.INFO)
        self._on_message = on_message

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        # Events and errors of Dagster's own machinery are for its event log; how a run failed is
        # told when it has ended.
        if meta.get("dagster_event") is None and record.levelno < logging.ERROR:
            # What follows the first line is detail, for the event log.
            message = str(meta.get("orig_message", record.getMessage()))
            self._on_message(message.partition("\n")[0])


def show_progress(message: str) -> None:
    """Tell whoever follows the run what is being done; Dagster's event log does not keep it."""
    logging.getLogger(_NAME).info(message)


@contextmanager
def following(on_message: Callable[[str], None]) -> Iterator[None]:
    """Call `on_message` for each message of an asset while the body runs."""
    handler = _Forwarding(on_message)
    logger = logging.getLogger(_NAME)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
