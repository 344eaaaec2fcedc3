"""How Dagster shows an error that a person can act on: one line, and where it is."""

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

    None of them passes if the same run is tried again by Dagster: transient faults were retried.

    Raises:
        Failure: with the text of the error, and in its metadata what is known of the place.
    """
    try:
        yield
    except PipelineError as error:
        failure = dg.Failure(str(error), _metadata(error), allow_retries=False)
    else:
        return
    # Raised out here, it does not carry the first error and its stack trace along.
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
