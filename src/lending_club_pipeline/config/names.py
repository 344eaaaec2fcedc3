"""Find names that are not settings: a misspelt setting must not be ignored."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

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
