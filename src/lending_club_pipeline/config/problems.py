"""Problems of settings in one line: variable, value, and allowed values."""

from collections.abc import Mapping
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
