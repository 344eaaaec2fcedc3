"""Errors of a SQL warehouse: which ones are transient, and remedies for the others.

Error conditions are those of https://docs.databricks.com/aws/en/error-messages/error-classes.
"""

import re
import ssl
from collections.abc import Iterator, Sequence
from typing import Final

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.contract.errors import PipelineError, WarehouseError

_CONDITION: Final = re.compile(r"\[([A-Z][A-Z0-9_]+(?:\.[A-Z0-9_]+)*)\]")
# Conditions with which a failed statement may succeed when it is sent again.
_TRANSIENT_CONDITIONS: Final = (
    "DELTA_CONCURRENT",
    "CONCURRENT_",
    "TEMPORARILY_UNAVAILABLE",
    "SERVICE_TEMPORARILY_UNAVAILABLE",
    "DEADLINE_EXCEEDED",
    "RESOURCE_EXHAUSTED",
)
_TRANSIENT_CODES: Final = frozenset({408, 429, 500, 502, 503, 504})
_REFUSED_CODES: Final = frozenset({401, 403})
_NAME_NOT_FOUND: Final = re.compile(
    r"Name or service not known|nodename nor servname|Failed to resolve|getaddrinfo|"
    r"Temporary failure in name resolution"
)
_INVALID_SECRET: Final = re.compile(r"invalid_client|Invalid access token")
_REFUSED_SIGN_IN: Final = re.compile(
    r"\b401\b|\b403\b|invalid_client|Invalid access token|[Uu]nauthorized|PERMISSION_DENIED_TOKEN"
)
# Texts of the connector, urllib3 and Python for a broken connection or a missing answer.
_BROKEN_CONNECTION: Final = re.compile(
    r"Error during request to server|Connection aborted|Connection reset|Connection refused|"
    r"RemoteDisconnected|IncompleteRead|Max retries exceeded|Read timed out|"
    r"EOF occurred|Broken pipe|Service Unavailable|Too Many Requests"
)

_LIBRARIES_OF_THE_CONNECTOR: Final = {"databricks", "urllib3", "http", "thrift", "ssl"}

_REMEDIES: Final = {
    "NO_SUCH_CATALOG_EXCEPTION": "this catalog does not exist. Correct DATABRICKS_CATALOG, or ask "
    "for it to be made",
    "CATALOG_NOT_FOUND": "this catalog does not exist. Correct DATABRICKS_CATALOG, or ask for it "
    "to be made",
    "SCHEMA_NOT_FOUND": "this schema does not exist. Correct DATABRICKS_SCHEMA, or ask for it to "
    "be made",
    "INSUFFICIENT_PERMISSIONS": "a right is missing. Ask the administrator for the rights that "
    "docs/databricks.md lists",
    "PERMISSION_DENIED": "a right is missing. Ask the administrator for the rights that "
    "docs/databricks.md lists",
    "UNAUTHORIZED_ACCESS": "a right is missing. Ask the administrator for the rights that "
    "docs/databricks.md lists",
}


class TransientWarehouseError(WarehouseError):
    """A transient error lasted longer than DATABRICKS_RETRY_SECONDS."""


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, outermost first.

    The error that was being handled when it was raised counts, too. An error of this project does
    not: it belongs to another statement, which had failed and was handled.
    """
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = _origin(found)


def _origin(error: BaseException) -> BaseException | None:
    known = getattr(error, "context", None)
    inner = known.get("original-exception") if isinstance(known, dict) else None
    # The connector sometimes keeps only the text of the error there.
    if isinstance(inner, BaseException):
        return inner
    handled = None if isinstance(error.__context__, PipelineError) else error.__context__
    return error.__cause__ or handled


def condition_of(message: str) -> str:
    """Return the error condition at the start of a message, or an empty text."""
    match = _CONDITION.search(message)
    return "" if match is None else match[1]


def condition_in(error: BaseException) -> str:
    """Return the error condition of an error or of its causes, or an empty text."""
    return condition_of(" ".join(str(it) for it in chain(error)))


def is_missing(error: BaseException) -> bool:
    """Whether a statement failed because its table or schema was never made."""
    return condition_in(error).startswith(("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"))


def http_code_of(error: BaseException) -> int | None:
    """Return the HTTP status of the failed request, if the error came from one."""
    return _http_code(list(chain(error)))


def is_of_the_connector(error: BaseException) -> bool:
    """Whether an error came from the connector, not from the code that used its result."""
    modules = {type(it).__module__.partition(".")[0] for it in chain(error)}
    return bool(modules & _LIBRARIES_OF_THE_CONNECTOR)


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may succeed if it is sent again a little later."""
    errors = list(chain(error))
    if any(isinstance(it, ssl.SSLCertVerificationError) for it in errors):
        return False
    code = _http_code(errors)
    if code is not None:
        return code in _TRANSIENT_CODES
    message = " ".join(str(it) for it in errors)
    if _NAME_NOT_FOUND.search(message) or _REFUSED_SIGN_IN.search(message):
        return False
    condition = condition_of(message)
    if condition:
        return condition.startswith(_TRANSIENT_CONDITIONS)
    return any(_is_of_the_network(it) for it in errors)


def _http_code(errors: Sequence[BaseException]) -> int | None:
    for it in errors:
        context = getattr(it, "context", None)
        code = context.get("http-code") if isinstance(context, dict) else None
        if code is not None:
            return int(code)
    return None


def is_transient_message(message: str) -> bool:
    """Whether a text from dbt describes a transient error."""
    if _NAME_NOT_FOUND.search(message) or _REFUSED_SIGN_IN.search(message):
        return False
    condition = condition_of(message)
    if condition:
        return condition.startswith(_TRANSIENT_CONDITIONS)
    return bool(_BROKEN_CONNECTION.search(message))


def _is_of_the_network(error: BaseException) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    return isinstance(error, ConnectionError | TimeoutError) or bool(
        names & {"RequestError", "HTTPError", "HTTPException", "TTransportException"}
    )


def explained(error: BaseException, address: DatabricksSettings) -> WarehouseError:
    """Turn an error of the connector into one with a remedy, without secrets and rows."""
    errors = list(chain(error))
    message = _text_of(errors)
    on_the_way = explained_on_the_way(error, address)
    if on_the_way is not None:
        return on_the_way
    if is_transient(error):
        return TransientWarehouseError(
            f"{address}: the SQL warehouse did not answer for {address.retry_seconds:g} s "
            f"({type(error).__name__}). Run again later: nothing has to be cleaned up. To "
            "wait longer, raise DATABRICKS_RETRY_SECONDS."
        )
    condition = condition_of(message)
    remedy = _REMEDIES.get(condition.partition(".")[0])
    if remedy is not None:
        return WarehouseError(f"{address}: {remedy} ({condition}).")
    is_refused = _http_code(errors) in _REFUSED_CODES or _REFUSED_SIGN_IN.search(message)
    if is_refused and not condition:
        return WarehouseError(
            f"{address}: the sign-in was refused. Renew DATABRICKS_TOKEN (or the secret of "
            "DATABRICKS_CLIENT_ID), and ask the administrator for the right to use this SQL "
            "warehouse (CAN USE)."
        )
    what = condition or type(error).__name__
    return WarehouseError(
        f"{address}: a statement failed ({what}). The query history of the SQL warehouse shows it; "
        "its tag is the id of the run."
    )


def refuses_sign_in(error: BaseException) -> bool:
    """Whether an error of a request says that token or secret are not valid."""
    return bool(_INVALID_SECRET.search(_text_of(list(chain(error)))))


def _text_of(errors: Sequence[BaseException]) -> str:
    return " ".join(" ".join(str(it) for it in errors).split())


def explained_on_the_way(
    error: BaseException, address: DatabricksSettings
) -> WarehouseError | None:
    """Explain an error that occurred before the host was reached; None if it was reached."""
    errors = list(chain(error))
    if any(isinstance(it, ssl.SSLCertVerificationError) for it in errors):
        return WarehouseError(
            f"{address}: the certificate of this host is not trusted. Name your company's "
            "certificates by DATABRICKS_CA_FILE, or correct DATABRICKS_HOST."
        )
    if any(type(it).__name__ == "ProxyError" for it in errors):
        return TransientWarehouseError(
            f"{address}: the proxy that HTTPS_PROXY names did not answer for "
            f"{address.retry_seconds:g} s, or does not let this host through. Correct HTTPS_PROXY, "
            "or name the host by NO_PROXY if there is a way to it without a proxy."
        )
    if _NAME_NOT_FOUND.search(_text_of(errors)):
        return WarehouseError(
            f"{address}: this host is not known. Correct DATABRICKS_HOST, or look at the network."
        )
    return None
