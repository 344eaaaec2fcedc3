"""Errors with problem, place and remedy, for people."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from lending_club_pipeline.contract.locations import Location

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")


class PipelineError(Exception):
    """Base of every error that this project raises on purpose.

    Its text is one line that says what is wrong, where, and what to do; it never holds a
    customer's name or a raw record.
    """

    def __str__(self) -> str:
        # Names of folders may hold line feeds.
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], super().__str__())


class ConfigurationError(PipelineError):
    """A setting is missing, unknown or contradicts another one."""


class SecretError(ConfigurationError):
    """A secret cannot be read from the secret manager that a setting names."""


class WarehouseError(PipelineError):
    """The database cannot be opened, is corrupt, or failed in the middle of a statement."""


class NotLandedError(WarehouseError):
    """There is no landed file: the landing folder was lost, or is another one."""


class WarehouseLockedError(WarehouseError):
    """Another process holds the database: wait for it or stop it."""


class TransformationError(PipelineError):
    """dbt could not parse or build the project, or one of its tests failed."""


class HeldDeliveryError(TransformationError):
    """A delivery moved beyond its limits: it is not published until somebody approves it.

    Args:
        message: the movements and the remedy.
        dates: business dates of the deliveries that are held.
    """

    def __init__(self, message: str, dates: Iterable[dt.date] = ()) -> None:
        super().__init__(message)
        self.stopped_by = dict.fromkeys(dates, message)


class ApprovalError(PipelineError):
    """There is nothing to approve."""


class OutputError(PipelineError):
    """An output could not be written; the files of the last good run stay as they are."""


class StorageError(PipelineError):
    """An object store did not answer, or refused a request."""


class AuditError(PipelineError):
    """The audit log cannot be written, or its verification failed."""


class ServiceError(PipelineError):
    """A service cannot be started, ended by itself, or does not answer."""


@dataclass(frozen=True)
class Place:
    """A place in a delivery.

    Attributes:
        path: the file, folder or object.
        line: physical line, 1-based, header included.
        column: name of the column.
    """

    path: Location
    line: int | None = None
    column: str | None = None

    def __str__(self) -> str:
        parts = [str(self.path.absolute())]
        if self.line is not None:
            parts.append(f"line {self.line}")
        if self.column is not None:
            parts.append(f"column {self.column}")
        return ", ".join(parts)


class RefusedDeliveryError(PipelineError):
    """A delivery is refused as a whole: nothing of it is processed.

    Args:
        code: short, stable name of the cause, for scripts and metadata.
        place: the file, and line or column if known.
        problem: the problem in words, with the value unless it is personal data.
        remedy: the remedy.
        stopped_by: in a run of several dates, the refused dates with their messages.
    """

    def __init__(
        self,
        code: str,
        place: Place,
        problem: str,
        remedy: str,
        stopped_by: Mapping[dt.date, str] | None = None,
    ) -> None:
        super().__init__(f"{place}: {problem}. {remedy}")
        self.stopped_by = dict(stopped_by or {})
        self.code = code
        self.place = place
        self.problem = problem
        self.remedy = remedy
