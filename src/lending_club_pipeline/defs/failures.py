"""Errors of this project as failures of Dagster: one line, with the place in the metadata."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import dagster as dg

from lending_club_pipeline.contract.errors import (
    HeldDeliveryError,
    PipelineError,
    RefusedDeliveryError,
)

OUTCOME: Final = "outcome"
STOPPED_BY: Final = "stopped_by"


@contextmanager
def shown_in_one_line() -> Iterator[None]:
    """Turn errors of this project into failures that Dagster shows without stack traces.

    Dagster does not retry them: transient errors were retried already.

    Raises:
        Failure: with the text of the error, and the known place in its metadata.
    """
    try:
        yield
    except PipelineError as error:
        failure = dg.Failure(str(error), _metadata(error), allow_retries=False)
    else:
        return
    # Raised outside `except`, it does not carry the first error and its stack trace.
    raise failure


def _metadata(error: PipelineError) -> dict[str, Any]:
    if isinstance(error, HeldDeliveryError):
        outcome = "held"
    elif isinstance(error, RefusedDeliveryError):
        outcome = "refused"
    else:
        return {OUTCOME: "failed"}
    dates = {date.isoformat(): message for date, message in error.stopped_by.items()}
    found: dict[str, Any] = {OUTCOME: outcome, STOPPED_BY: dg.MetadataValue.json(dates)}
    if isinstance(error, RefusedDeliveryError):
        place = error.place
        found |= {
            "code": error.code,
            "file": dg.MetadataValue.path(str(place.path.absolute())),
            **({} if place.line is None else {"line": place.line}),
            **({} if place.column is None else {"column": place.column}),
            "what_to_do": error.remedy,
        }
    return found
