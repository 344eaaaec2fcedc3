"""A generated delivery holds the dirt that the generator says, and the pipeline finds all of it."""

import pytest

from lending_club_pipeline.runs.reports import RunReport
from lending_club_pipeline.synthetic.deliveries import GeneratedDelivery, generate_deliveries
from lending_club_pipeline.synthetic.dirt import DIRT_KINDS
from tests.workspaces import AS_OF, Workspace


def _generate(workspace: Workspace, **arguments: object) -> GeneratedDelivery:
    defaults = {"first_day": AS_OF, "threads": 2, "on_progress": workspace.messages.append}
    return generate_deliveries(to=workspace.inputs, **defaults | arguments)[0]


def _exact_duplicates(report: RunReport) -> dict[str, int]:
    names = {source_file for source_file, _ in report.ledger.entries}
    return {name: report.ledger.rows(name, "exact_duplicate") for name in names}


@pytest.mark.parametrize(
    ("dirty", "seed"),
    [
        pytest.param(0.05, 1, marks=pytest.mark.exhaustive),
        (0.6, 2),
        pytest.param(1.0, 3, marks=pytest.mark.exhaustive),
    ],
)
def test_every_reason_is_found_as_often_as_it_was_generated(
    workspace: Workspace, dirty: float, seed: int
) -> None:
    delivery = _generate(workspace, customers=3_000, accounts=8_000, dirty=dirty, seed=seed)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert dict(report.ledger.reasons) == dict(delivery.reasons)
    assert _exact_duplicates(report) == {
        name: delivery.dirt[name, "exact_duplicate"] for name in ("Customer.csv", "accounts.csv")
    }


@pytest.mark.exhaustive
def test_a_large_delivery_has_every_kind_of_dirt_and_records_that_are_too_long(
    workspace: Workspace,
) -> None:
    delivery = _generate(workspace, customers=100_000, accounts=150_000, dirty=0.02, seed=3)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert set(delivery.dirt) == {(kind.source_file, kind.name) for kind in DIRT_KINDS}
    assert report.ledger.reasons["Customer.csv", "record_too_long"] == 1
    assert report.ledger.reasons["accounts.csv", "record_too_long"] == 1
    assert dict(report.ledger.reasons) == dict(delivery.reasons)


@pytest.mark.exhaustive
def test_a_clean_delivery_is_accepted_as_a_whole(workspace: Workspace) -> None:
    _generate(workspace, customers=20_000, accounts=50_000)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert dict(report.ledger.reasons) == {}
    assert _exact_duplicates(report) == {"Customer.csv": 0, "accounts.csv": 0}
    assert report.ledger.rows("Customer.csv", "cleaned") == 20_000
    assert report.ledger.rows("accounts.csv", "joined") == 50_000


@pytest.mark.exhaustive
def test_days_in_a_row_are_processed_one_after_the_other(workspace: Workspace) -> None:
    deliveries = generate_deliveries(
        customers=500,
        accounts=2_000,
        to=workspace.inputs,
        on_progress=workspace.messages.append,
        dirty=0.05,
        days=2,
        first_day=AS_OF,
    )

    for delivery in deliveries:
        report = workspace.run(delivery.as_of_date)

        assert report.outcome == "success", report.message
        assert dict(report.ledger.reasons) == dict(delivery.reasons)
