"""Errors as a SQL warehouse words them: condition in brackets, SQLSTATE at the end."""

import re
from typing import Any, Final

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from databricks_stand_in.spark import SPARK_CATALOG

_CONDITION: Final = re.compile(r"\[([A-Z][A-Z0-9_.]+)\]")
_STATE: Final = re.compile(r"SQLSTATE: (\w{5})")
# Delta raises a few of its errors through Spark, which has no text for them.
_WITHOUT_TEXT: Final = re.compile(r"Cannot find main error class '(\w+)'")
_VOLUMES: Final = re.compile(r"viewfs://volumes(?=/)")


class StatementError(Exception):
    """A statement that failed.

    Attributes:
        condition: name of the error condition, such as `TABLE_OR_VIEW_NOT_FOUND`.
        state: SQLSTATE.
        message: what the client shows.
    """

    def __init__(self, condition: str, state: str, text: str) -> None:
        self.condition, self.state = condition, state
        self.message = f"[{condition}] {text}"
        if f"SQLSTATE: {state}" not in text:
            self.message += f" SQLSTATE: {state}"
        super().__init__(self.message)


def not_understood(statement: str) -> StatementError:
    """Return the error of a statement that the stand-in does not know: it never passes one by."""
    text = f"The SQL warehouse stand-in does not understand this statement: {statement[:200]}"
    return StatementError("UNSUPPORTED_FEATURE.STAND_IN", "0A000", text)


def syntax_error(statement: str) -> StatementError:
    """Return the error of a known statement that is not well formed."""
    return StatementError("PARSE_SYNTAX_ERROR", "42601", f"Syntax error in: {statement[:200]}")


def no_such_catalog(name: str) -> StatementError:
    """Return the error of a statement or a session that names another catalog."""
    text = f"Catalog '{name}' was not found. Please verify the spelling of the catalog."
    return StatementError("NO_SUCH_CATALOG_EXCEPTION", "42704", text)


def from_spark(error: Exception, catalog: str) -> StatementError:
    """Translate what Spark raised."""
    if isinstance(error, StatementError):
        return error
    if isinstance(error, PySparkException):
        text = str(error).split("\n\nJVM stacktrace:")[0].strip()
    elif isinstance(error, Py4JJavaError):
        text = _innermost(error.java_exception)
    else:
        text = f"{type(error).__name__}: {error}"
    text = _VOLUMES.sub("dbfs:", text.replace(SPARK_CATALOG, catalog))
    if (nameless := _WITHOUT_TEXT.search(text)) is not None:
        return StatementError(nameless[1], "42601", "Delta Lake has no text for this error.")
    condition, state = _CONDITION.search(text), _STATE.search(text)
    found = condition[1] if condition else "INTERNAL_ERROR"
    text = text.removeprefix(f"[{found}] ")
    return StatementError(found, state[1] if state else "XX000", text)


def _innermost(raised: Any) -> str:
    """Return the message of the deepest cause that names its condition."""
    text, cause = "", raised
    while cause is not None:
        message = cause.getMessage() or cause.toString()
        if not text or _CONDITION.match(message):
            text = message
        cause = cause.getCause()
    return text
