"""What the profile of the bench says of more cores follows from CPU and wall time of each step."""

import pytest
from bench.profiling import Spent, listed, tabulated


@pytest.mark.parametrize(
    ("cpu", "wall", "on_8"),
    [
        pytest.param(8.0, 4.0, 1.0, id="uses both cores all the time"),
        pytest.param(4.0, 4.0, 4.0, id="uses one core"),
        pytest.param(6.0, 4.0, 2.5, id="uses both half of the time"),
        pytest.param(1.0, 3.0, 3.0, id="waits"),
    ],
)
def test_what_used_both_cores_is_taken_to_use_more(cpu: float, wall: float, on_8: float) -> None:
    assert Spent(cpu, wall).wall_on(8, measured_on=2) == pytest.approx(on_8)


def test_the_table_names_large_steps_and_adds_all_up() -> None:
    steps = {"parse": Spent(90.0, 45.0), "sort": Spent(9.5, 9.5), "tiny": Spent(0.5, 0.5)}

    assert listed(tabulated(steps), 2) == [
        "| step | CPU s | wall s | on 8 cores | on 16 cores |",
        "|---|---|---|---|---|",
        "| parse | 90.00 | 45.00 | 11.25 | 5.62 |",
        "| sort | 9.50 | 9.50 | 9.50 | 9.50 |",
        "| all other steps | 0.50 | 0.50 | 0.50 | 0.50 |",
        "| **all** | 100.00 | 55.00 | 21.25 | 15.62 |",
    ]
