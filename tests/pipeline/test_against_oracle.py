"""The pipeline and an independent oracle on the same dirty deliveries, byte for byte."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings

from lending_club_pipeline.deliveries.finding import find_delivery
from lending_club_pipeline.deliveries.landing import LandedDelivery, SplitterLimits, land
from lending_club_pipeline.errors import RefusedDeliveryError
from lending_club_pipeline.outputs.closing import DeliveryLedger, read_ledger
from lending_club_pipeline.outputs.tables import ACCOUNT_SUMMARY, QUARANTINE
from lending_club_pipeline.transformation.manifests import PreparedManifest, prepare_manifest
from lending_club_pipeline.transformation.runs import build_arguments, run_dbt
from lending_club_pipeline.warehouse import choose_warehouse
from tests import strategies
from tests.oracle import Outcome, Refused, process
from tests.workspaces import AS_OF, Workspace

# Examples are the same on every run and every machine. A shrunk failure takes minutes to find
# and one look to understand, so that shrinking stays on.
_repeatable = settings(
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
_MODELS = (
    "base_customers base_accounts stg_customers__cleaned stg_accounts__cleaned "
    "interest_rate_tiers loan_bonus_rates quarantined_records account_summary_daily "
    "delivery_ledger account_summary"
).split()


@dataclass(frozen=True)
class Result:
    """What the pipeline made of a delivery, in the oracle's terms."""

    account_summary_csv: bytes
    quarantine_csv: bytes
    ledger: DeliveryLedger


@dataclass(frozen=True)
class WarmPipeline:
    """Landing, dbt and outputs in one process that stays warm, without a Dagster run around."""

    workspace: Workspace
    prepared: PreparedManifest

    def land(self, customers: bytes, accounts: bytes) -> LandedDelivery | RefusedDeliveryError:
        """Land a delivery, or say why not."""
        self.workspace.deliver(customers, accounts)
        found = find_delivery(self.workspace.inputs, AS_OF, AS_OF)
        landing = self.workspace.settings().landing
        limits = SplitterLimits(memory_bytes=2**28, threads=1)
        try:
            return land(found, landing, limits, dt.datetime.now(dt.UTC), lambda _: None)
        except RefusedDeliveryError as error:
            return error

    def run(self, customers: bytes, accounts: bytes) -> Result | RefusedDeliveryError:
        """Process a delivery in the place of the one before."""
        landed = self.land(customers, accounts)
        if isinstance(landed, RefusedDeliveryError):
            return landed
        warehouse = choose_warehouse(self.workspace.settings())
        with warehouse.session():
            warehouse.load_raw(self.workspace.settings().landing)
            arguments = [*build_arguments(AS_OF.isoformat(), _MODELS), "resource_type:test"]
            arguments.remove("resource_type:test")
            nodes = run_dbt(
                self.prepared, arguments, warehouse.dbt_environment(), lambda *_: None
            )
            warehouse.disconnect_dbt()
            assert [it for it in nodes if it.is_failed] == []
            outputs = []
            for name, query in (("summary", ACCOUNT_SUMMARY), ("quarantine", QUARANTINE)):
                target = self.workspace.root / f"{name}.csv"
                warehouse.copy_to_file(query, target, "csv")
                outputs.append(target.read_bytes())
            ledger = read_ledger(warehouse, AS_OF)
        assert ledger is not None
        return Result(outputs[0], outputs[1], ledger)


@pytest.fixture
def warm(workspace: Workspace) -> WarmPipeline:
    own = workspace.settings()
    return WarmPipeline(
        workspace, prepare_manifest(choose_warehouse(own).dbt_environment(), own.dbt_cache)
    )


def assert_equal(result: Result, expected: Outcome) -> None:
    assert result.quarantine_csv == expected.quarantine_csv
    assert result.account_summary_csv == expected.account_summary_csv
    assert _numbers(result.ledger) == expected.ledger
    assert result.ledger.reasons == dict(expected.reasons)
    assert result.ledger.is_closed


def _numbers(ledger: DeliveryLedger) -> dict[tuple[str, str], tuple[int, int | None, int | None]]:
    return {
        key: (
            entry.row_count,
            None if entry.balance is None else int(entry.balance.scaleb(2)),
            entry.balance_unknown,
        )
        for key, entry in ledger.entries.items()
    }


def assert_both_refuse(refused: object, expected: Refused) -> None:
    assert isinstance(refused, RefusedDeliveryError), f"the oracle refuses: {expected!r}"
    if refused.code == expected.why == "quote_left_open":
        assert refused.place.line == expected.line


def test_every_spelling_of_every_field_ends_as_the_oracle_says(workspace: Workspace) -> None:
    customers, accounts = strategies.every_case()
    workspace.deliver(customers, accounts)

    report = workspace.run()

    assert report.outcome == "success", report.message
    outputs = workspace.output_bytes()
    expected = process(customers, accounts, AS_OF)
    assert isinstance(expected, Outcome)
    assert report.ledger is not None
    assert_equal(
        Result(outputs["account_summary.csv"], outputs["quarantine.csv"], report.ledger), expected
    )


def test_any_delivery_ends_as_the_oracle_says(warm: WarmPipeline) -> None:
    @settings(_repeatable, max_examples=25)
    @given(strategies.deliveries)
    def check(delivery: tuple[bytes, bytes]) -> None:
        result = warm.run(*delivery)
        expected = process(*delivery, AS_OF)
        if isinstance(expected, Refused):
            assert_both_refuse(result, expected)
        else:
            assert isinstance(result, Result), str(result)
            assert_equal(result, expected)

    check()
