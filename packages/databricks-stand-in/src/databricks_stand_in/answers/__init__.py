"""The answers to statements that Spark does not have; to import them is to register them."""

from databricks_stand_in.answers import (
    comments,
    copying,
    descriptions,
    grants,
    keys,
    not_null,
    schemas,
    settings,
    tags,
    volumes,
)

__all__ = [
    "comments",
    "copying",
    "descriptions",
    "grants",
    "keys",
    "not_null",
    "schemas",
    "settings",
    "tags",
    "volumes",
]
