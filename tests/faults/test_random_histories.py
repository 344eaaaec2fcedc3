"""Any order of deliveries, runs and kills leaves what a plain model says (`random_histories`)."""

from pathlib import Path

from tests.faults.random_histories import check_histories

# `make bench-faults` tries more of them.
_EXAMPLES = 3


def test_any_history_ends_as_the_model_says(prepared_dbt: Path) -> None:
    check_histories(prepared_dbt, _EXAMPLES)
