"""Requests to Dagster's web server, by its GraphQL."""

import json
import re
import urllib.request
from typing import Any, Final

from lending_club_pipeline.contract.errors import ServiceError

_LOADED: Final = """
query { workspaceOrError { __typename
  ... on PythonError { message }
  ... on Workspace { locationEntries { name loadStatus
    locationOrLoadError { __typename
      ... on PythonError { message causes { className message } } } } } } }
"""
_RELOAD: Final = """
mutation ($name: String!) { reloadRepositoryLocation(repositoryLocationName: $name) { __typename
  ... on WorkspaceLocationEntry { locationOrLoadError { __typename
    ... on PythonError { message causes { className message } } } }
  ... on PythonError { message }
  ... on UnauthorizedError { message }
  ... on ReloadNotSupported { message }
  ... on RepositoryLocationNotFound { message } } }
"""
_ANSWER_SECONDS: Final = 20.0
# A reload ends when the new definitions have loaded or failed to load.
_RELOAD_SECONDS: Final = 180.0


class NoAnswerError(ServiceError):
    """The web server cannot be reached, or does not answer yet."""


def expect_loaded(url: str, location: str) -> None:
    """Check that the web server shows the definitions of a code location.

    Args:
        url: address of the web server.
        location: name of the code location.

    Raises:
        ServiceError: it does not show them; the text says why.
    """
    workspace = _ask(url, _LOADED, {}, _ANSWER_SECONDS)["workspaceOrError"]
    entries = workspace.get("locationEntries", [])
    found = next((entry for entry in entries if entry["name"] == location), None)
    if found is None:
        raise ServiceError(f"{url} knows no code location {location}. Name it in workspace.yaml.")
    _expect_definitions(url, found["locationOrLoadError"] or {"__typename": found["loadStatus"]})


def reload_definitions(url: str, location: str) -> None:
    """Reload the definitions of a code location.

    Args:
        url: address of the web server.
        location: name of the code location.

    Raises:
        ServiceError: they did not load; the text says why.
        NoAnswerError: the web server was not reached.
    """
    entry = _ask(url, _RELOAD, {"name": location}, _RELOAD_SECONDS)["reloadRepositoryLocation"]
    _expect_definitions(url, entry.get("locationOrLoadError") or entry)


def _expect_definitions(url: str, loaded: dict[str, Any]) -> None:
    if loaded["__typename"] != "RepositoryLocation":
        raise ServiceError(f"{url}: the definitions are not loaded: {_reason(loaded)}")


def _reason(loaded: dict[str, Any]) -> str:
    """Return the root cause of an error in one line."""
    message = str(loaded.get("message") or loaded["__typename"])
    if causes := loaded.get("causes"):
        kind, message = causes[-1]["className"], causes[-1]["message"]
        # Most names of errors have their module in front; some messages have the faulty line there.
        message = re.sub(rf"^[\w.]+\.(?={kind}:)", "", message)
    return " ".join(message.split())


def _ask(url: str, query: str, variables: dict[str, str], seconds: float) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 - the address is a setting, not input
        f"{url.rstrip('/')}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310 - as above
            answer: dict[str, Any] = json.load(response)
    except (OSError, ValueError) as error:
        raise NoAnswerError(f"{url} does not answer as Dagster's web server: {error}") from error
    if answer.get("data") is None:
        raise ServiceError(f"{url} refused the query: {answer.get('errors')}")
    data: dict[str, Any] = answer["data"]
    return data
