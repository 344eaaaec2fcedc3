"""Which faults of a SQL warehouse pass by themselves, and what an error says of the others."""

import socket
import ssl
from pathlib import Path

import pytest
import urllib3
from databricks.sql import exc

from lending_club_pipeline.config.databricks import DatabricksSettings
from lending_club_pipeline.warehouse.databricks import errors

ADDRESS = DatabricksSettings(
    DATABRICKS_HOST="acme.cloud.databricks.com",
    DATABRICKS_HTTP_PATH="/sql/1",
    DATABRICKS_CATALOG="bank",
    DATABRICKS_SCHEMA="lending",
    DATABRICKS_RETRY_SECONDS=5,
)


def request_error(code: int | None, message: str = "Error during request to server.") -> Exception:
    return exc.RequestError(message, {"http-code": code})


TRANSIENT = {
    "too many requests": request_error(429),
    "service unavailable": request_error(503),
    "a connection that was reset": ConnectionResetError(104, "Connection reset by peer"),
    "a timeout": TimeoutError("The read operation timed out"),
    "a broken stream": urllib3.exceptions.ProtocolError("Connection broken: IncompleteRead"),
    "another writer": exc.ServerOperationError(
        "[DELTA_CONCURRENT_APPEND] ConcurrentAppendException: Files were added"
    ),
    "a warehouse that starts": exc.ServerOperationError("[TEMPORARILY_UNAVAILABLE] starting"),
}
PERMANENT = {
    "a refused token": (request_error(403), "the sign-in was refused"),
    "an expired token": (
        request_error(401, "Invalid access token"),
        "Renew DATABRICKS_TOKEN",
    ),
    "a wrong client secret": (
        exc.RequestError("invalid_client: unknown", {"original-exception": "invalid_client"}),
        "the secret of DATABRICKS_CLIENT_ID",
    ),
    "a missing catalog": (
        exc.ServerOperationError("[NO_SUCH_CATALOG_EXCEPTION] Catalog 'bank' was not found"),
        "Correct DATABRICKS_CATALOG",
    ),
    "a missing right": (
        exc.ServerOperationError("[INSUFFICIENT_PERMISSIONS] User does not have USE SCHEMA"),
        "Ask the administrator for the rights",
    ),
    "a broken statement": (
        exc.ServerOperationError("[PARSE_SYNTAX_ERROR] Syntax error at or near 'selec'"),
        "a statement failed (PARSE_SYNTAX_ERROR)",
    ),
    "an unknown host": (
        socket.gaierror(-2, "Name or service not known"),
        "Correct DATABRICKS_HOST",
    ),
    "an unknown certificate": (
        ssl.SSLCertVerificationError(1, "certificate verify failed: unable to get issuer"),
        "DATABRICKS_CA_FILE",
    ),
}


@pytest.mark.parametrize("error", TRANSIENT.values(), ids=TRANSIENT)
def test_a_fault_that_may_pass_is_tried_again(error: Exception) -> None:
    assert errors.is_transient(error)
    assert "did not answer for 5 s" in str(errors.explained(error, ADDRESS))


@pytest.mark.parametrize(("error", "said"), PERMANENT.values(), ids=PERMANENT)
def test_a_fault_that_stays_fails_at_once_with_what_to_do(error: Exception, said: str) -> None:
    assert not errors.is_transient(error)
    text = str(errors.explained(error, ADDRESS))
    assert said in text
    assert "\n" not in text


def test_what_is_behind_an_error_counts() -> None:
    outer = exc.RequestError(
        "Error during request to server.",
        {"original-exception": ssl.SSLCertVerificationError(1, "certificate verify failed")},
    )

    assert not errors.is_transient(outer)


def test_the_rights_that_an_error_points_to_are_documented() -> None:
    page = Path(__file__).parents[2] / "docs" / "databricks.md"

    assert "grant " in page.read_text().lower()


@pytest.mark.parametrize(
    ("message", "passes"),
    [
        ("Database Error in model base_accounts Error during request to server", True),
        ("Database Error ('Connection aborted.', RemoteDisconnected('closed'))", True),
        ("Database Error [DELTA_CONCURRENT_WRITE] another writer", True),
        ("Database Error [TABLE_OR_VIEW_NOT_FOUND] The table cannot be found", False),
        ("Database Error 403 Client Error: Forbidden. Connection reset", False),
        ("Got 2 results, configured to fail if != 0", False),
    ],
)
def test_what_dbt_reports_is_understood(message: str, passes: bool) -> None:
    assert errors.is_transient_message(message) is passes


def test_a_fault_in_the_handling_of_an_understood_one_is_judged_by_itself() -> None:
    understood = errors.explained(
        exc.ServerOperationError("[TABLE_OR_VIEW_NOT_FOUND] The table cannot be found"), ADDRESS
    )
    cut = ConnectionResetError(104, "Connection reset by peer")
    cut.__context__ = understood

    assert errors.is_transient(cut)
