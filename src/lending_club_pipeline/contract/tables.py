"""Expected definitions of tables, and differences of existing tables."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table, expected or existing.

    Attributes:
        name: its name, without schema.
        columns: the engine's type of each column.
        kind: its kind if it is not a plain table of the engine, such as a view.
        owner: its owner, if the engine knows owners.
    """

    name: str
    columns: dict[str, str]
    kind: str = ""
    owner: str = ""


@dataclass(frozen=True)
class ExpectedTable:
    """A table that runs add to.

    Attributes:
        name: its name, without schema.
        columns: type of each column, in SQL of both engines.
        may_lack_columns: whether its writer adds columns that are missing.
    """

    name: str
    columns: Mapping[str, str]
    may_lack_columns: bool = False


def differences(expected: ExpectedTable, types: Mapping[str, str], found: Table) -> Iterator[str]:
    """Yield the differences of a table in words; the order of its columns does not matter.

    Args:
        expected: the table as it should be.
        types: the engine's name of each expected type, by its name in `expected`.
        found: the table as it is.
    """
    if found.kind:
        yield f"it is {found.kind}"
        return
    given = {name.lower(): type_ for name, type_ in found.columns.items()}
    missing = [name for name in expected.columns if name not in given]
    added = [name for name in given if name not in expected.columns]
    if missing and not expected.may_lack_columns:
        yield f"it lacks {_columns(missing)}"
    if added:
        yield f"it has {_columns(added)} that the pipeline does not make"
    for name, type_ in expected.columns.items():
        if name in given and given[name] != types[type_]:
            yield f"column {name} is of type {given[name]} instead of {types[type_]}"


def _columns(names: Sequence[str]) -> str:
    return f"the column{'s' if len(names) > 1 else ''} {', '.join(names)}"


def describe_differences(
    expected: ExpectedTable, types: Mapping[str, str], found: Table
) -> str | None:
    """Describe the problem of a table and the remedy in one line; None if there is no problem.

    Args:
        expected: the table as it should be.
        types: the engine's name of each expected type, by its name in `expected`.
        found: the table as it is.
    """
    problems = list(differences(expected, types, found))
    if not problems:
        return None
    return (
        f"the table {expected.name} is not as this pipeline makes it: {'; '.join(problems)}. "
        "Nothing was written. Undo that change (alter table), or keep the table under another "
        "name and process its dates again: lending-club run --from <first date> --force"
    )
