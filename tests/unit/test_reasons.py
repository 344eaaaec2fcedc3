"""Every reason that a record can get is explained in words."""

import re
from pathlib import Path

import pytest

from lending_club_pipeline.contract.reasons import explain, reasons
from lending_club_pipeline.contract.seeds import project_dir
from lending_club_pipeline.ingest.csv import parsing

# How the reasons of the model are named; in SQL they stand as texts of their own.
_SQL_REASON = re.compile(
    r"'((?:customer_id|account_id|has_loan|balance|account_type|customer|conflicting)_[a-z_]+)'"
)
_OTHER_NAMES = {
    "account_id",
    "account_id_text",
    "account_type",
    "account_type_text",
    "balance_amount",
    "balance_changed",
    "balance_text",
    "balance_before",
    "balance_unknown",
    "customer_history",
    "customer_id",
    "customer_id_text",
    "customer_number",
}


def _reasons_in(path: Path) -> set[str]:
    return set(_SQL_REASON.findall(path.read_text(encoding="utf-8"))) - _OTHER_NAMES


def _reasons_of_the_project() -> set[str]:
    project = project_dir()
    folders = (project / "models", project / "macros")
    return {reason for it in folders for path in it.rglob("*.sql") for reason in _reasons_in(path)}


def test_every_reason_of_the_dbt_project_is_explained() -> None:
    found = _reasons_of_the_project()

    assert {"balance_negative", "customer_not_found", "conflicting_duplicate"} <= found
    assert found <= reasons().keys()


def test_every_reason_of_the_parser_is_explained() -> None:
    source = Path(parsing.__file__).read_text(encoding="utf-8")
    found = set(re.findall(r'"(record_[a-z0-9_]+)"', source))

    assert len(found) == 4
    assert found <= reasons().keys()


def test_nothing_is_explained_that_cannot_happen() -> None:
    source = Path(parsing.__file__).read_text(encoding="utf-8")

    for reason in reasons():
        assert reason in _reasons_of_the_project() or f'"{reason}"' in source, reason


@pytest.mark.parametrize("reason", sorted(reasons()))
def test_an_explanation_is_whole_sentences_with_a_short_title(reason: str) -> None:
    words = reasons()[reason]

    assert 0 < len(words.title) <= 35
    assert words.meaning.endswith(".")
    assert words.remedy.endswith(".")
    assert reason not in words.title + words.meaning + words.remedy


def test_titles_tell_reasons_apart() -> None:
    assert len({words.title for words in reasons().values()}) == len(reasons())


def test_an_unknown_reason_keeps_its_name() -> None:
    assert explain("moon_in_wrong_phase").title == "Moon in wrong phase"
