"""Parameters of statements, which the connector sends beside the text."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyspark.sql import Column, functions

from databricks_stand_in.errors import StatementError

Bound = Sequence[Column] | Mapping[str, Column]


@dataclass(frozen=True)
class Parameter:
    """A value for a marker in a statement, as the connector writes it.

    Attributes:
        name: of a named marker (`:name`); empty for a `?`.
        type: its SQL type, in capitals.
        value: its text, mostly; nothing for null.
    """

    name: str
    type: str
    value: str | float | bool | None


def received(parameters: Sequence[Any] | None) -> list[Parameter]:
    """Read the parameters of a request, those for `?` in their order."""
    in_order = sorted(parameters or (), key=lambda parameter: parameter.ordinal or 0)
    return [
        Parameter(it.name or "", (it.type or "STRING").upper(), _given(it.value)) for it in in_order
    ]


def _given(value: Any) -> str | float | bool | None:
    if value is None:
        return None
    kinds = (value.stringValue, value.doubleValue, value.booleanValue)
    return next((it for it in kinds if it is not None), None)


def bound(parameters: Sequence[Parameter]) -> Bound:
    """Turn parameters into values of Spark.

    Raises:
        StatementError: a parameter has a type that is not known here.
    """
    if any(parameter.name for parameter in parameters):
        return {parameter.name: _value(parameter) for parameter in parameters}
    return [_value(parameter) for parameter in parameters]


# How a literal of each type is written: what its text must look like, and what it becomes.
_LITERALS: Final = {
    "BOOLEAN": (r"true|false", "{}"),
    "TINYINT": (r"[-+]?\d+", "{}Y"),
    "SMALLINT": (r"[-+]?\d+", "{}S"),
    "INT": (r"[-+]?\d+", "{}"),
    "BIGINT": (r"[-+]?\d+", "{}L"),
    "FLOAT": (r"[-+]?[\d.]+(?:e[-+]?\d+)?", "{}F"),
    "DOUBLE": (r"[-+]?[\d.]+(?:e[-+]?\d+)?", "{}D"),
    "DECIMAL": (r"[-+]?[\d.]+", "{}BD"),
    "DATE": (r"[-\d]+", "DATE'{}'"),
    "TIMESTAMP": (r"[-\d:. TZ+]+", "TIMESTAMP'{}'"),
    "TIMESTAMP_NTZ": (r"[-\d:. T]+", "TIMESTAMP_NTZ'{}'"),
}


def _value(parameter: Parameter) -> Column:
    kind, given = parameter.type.split("(")[0], parameter.value
    if kind == "VOID" or given is None:
        return functions.lit(None)
    if kind == "STRING":
        return functions.lit(given)
    pattern, literal = _LITERALS.get(kind, (r"\b\B", ""))
    if not re.fullmatch(pattern, str(given), re.IGNORECASE):
        text = f"A parameter of type {parameter.type} with this value is not served."
        raise StatementError("UNSUPPORTED_FEATURE.STAND_IN", "0A000", text)
    return functions.expr(literal.format(given))
