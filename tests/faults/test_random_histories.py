"""Any order of deliveries, runs and kills leaves what a plain model says of it."""

import pytest

from tests.faults.random_histories import check_histories
from tests.workspaces import Workspace

# `make bench-faults` tries more of them.
_EXAMPLES = 2


@pytest.mark.exhaustive
def test_any_history_ends_as_the_model_says(good_run: Workspace) -> None:
    check_histories(good_run.settings().dbt_cache, _EXAMPLES)
