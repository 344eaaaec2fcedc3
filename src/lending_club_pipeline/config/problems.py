"""Problems of settings, each in one line: values that are not allowed, names that are unknown.

A misspelt name must not be ignored.
"""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

# Our texts by pydantic's type of error; its own texts are for programmers.
_ALLOWED: Final = {
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_parsing": "write a number",
    "finite_number": "write a number that is not infinite",
    "greater_than_equal": "must be {ge:g} or more",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be {le:g} or less",
    "literal_error": "write {expected}",
    "date_from_datetime_parsing": "write a date as YYYY-MM-DD",
    "date_from_datetime_inexact": "write a date as YYYY-MM-DD",
    "date_parsing": "write a date as YYYY-MM-DD",
}
_OF_SECRETS: Final = ("TOKEN", "SECRET", "PASSWORD", "HEADERS")
# About one letter in ten that is wrong, missing, extra or in another place.
_NEAR: Final = 0.9
# Similarity of a suggestion for a name that is surely wrong.
_SIMILAR: Final = 0.6
# Tools that read the same file: Docker Compose, its services, and Dagster.
_SHARING_THE_FILE: Final = (
    *("COMPOSE_", "DOCKER_", "BUILDKIT_", "BUILDX_"),
    *("LENDING_CLUB_", "POSTGRES_", "PG", "DAGSTER_", "OAUTH2_PROXY_"),
)
_IMAGE: Final = "_IMAGE"
_FOLDERS: Final = ("INPUTS", "OUTPUTS")


def describe_problems(error: ValidationError, given: Mapping[str, object]) -> list[str]:
    """Describe the problems, without the value of a secret.

    Args:
        error: pydantic's error.
        given: values by variable.
    """
    problems = []
    for item in error.errors(include_url=False, include_input=False):
        message = _allowed(item)
        if not item["loc"]:
            problems.append(message)
            continue
        variable = str(item["loc"][0])
        problems.append(f"{variable}{_shown_value(variable, given)} is not allowed: {message}")
    return problems


def _allowed(item: ErrorDetails) -> str:
    """Return the allowed values, if possible in our own words."""
    if item["type"] in _ALLOWED:
        return _ALLOWED[item["type"]].format_map(item.get("ctx", {}))
    if item["type"] == "value_error":
        return item["msg"].removeprefix("Value error, ")
    return item["msg"][:1].lower() + item["msg"][1:]


def _shown_value(variable: str, given: Mapping[str, object]) -> str:
    value = given.get(variable)
    if value is None or any(word in variable for word in _OF_SECRETS):
        return ""
    return f"={' '.join(str(value).split())}"


def unknown_in_file(names: Iterable[str], known: Collection[str]) -> list[str]:
    """Return problems of names in `.env`, which only a few other tools read.

    Args:
        names: names in the file, in capital letters.
        known: names of all settings.
    """
    problems = []
    for name in names:
        is_shared = name.startswith(_SHARING_THE_FILE) or name.endswith(_IMAGE) or name in _FOLDERS
        similar = get_close_matches(name, known, n=1, cutoff=_NEAR if is_shared else _SIMILAR)
        if name not in known and (similar or not is_shared):
            meant = f"did you mean {similar[0]}?" if similar else "remove it."
            problems.append(f"{name} in .env is not a setting: {meant}")
    return problems


def near_misses(names: Iterable[str], known: Collection[str], where: str) -> list[str]:
    """Return problems of names in a place that other tools use, too.

    Only a name that is almost ours is a problem: others belong to other tools.

    Args:
        names: names in that place, in capital letters.
        known: names of all settings.
        where: the place, in words.
    """
    return [
        f"{name} in {where} is not a setting: did you mean {near[0]}?"
        for name in names
        if name not in known and (near := get_close_matches(name, known, n=1, cutoff=_NEAR))
    ]
