"""The pipeline and an independent oracle on the same dirty deliveries, byte for byte."""

import datetime as dt
from dataclasses import dataclass

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lending_club_pipeline.config.clock import Today
from lending_club_pipeline.contract.errors import RefusedDeliveryError
from lending_club_pipeline.contract.source_files import CUSTOMERS
from lending_club_pipeline.dbt_runner.invocation import build_arguments, run_dbt
from lending_club_pipeline.dbt_runner.manifest import PreparedManifest, prepare_manifest
from lending_club_pipeline.files import duckdb_paths
from lending_club_pipeline.files.mapped import WINDOW_BYTES
from lending_club_pipeline.ingest.csv import quotes
from lending_club_pipeline.ingest.deliveries.discovery import find_delivery
from lending_club_pipeline.ingest.landed_records import relation_of
from lending_club_pipeline.ingest.landing import LandedDelivery, SplitterLimits, land
from lending_club_pipeline.publish.tables import ACCOUNT_SUMMARY, QUARANTINE
from lending_club_pipeline.reconcile.ledger import DeliveryLedger, read_ledger
from lending_club_pipeline.warehouse import choose_warehouse
from tests import dirt, strategies
from tests.oracle import Outcome, Refused, process
from tests.oracle.splitting import split
from tests.workspaces import ACCOUNT_HEADER, AS_OF, Workspace

# The same examples on every run and every machine.
_repeatable = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_MODELS = ("+account_summary", "quarantined_records")
_NO_DBT_TESTS = ("--resource-type", "model", "--resource-type", "seed")


@dataclass(frozen=True)
class Result:
    """What the pipeline made of a delivery."""

    account_summary_csv: bytes
    quarantine_csv: bytes
    ledger: DeliveryLedger


@dataclass(frozen=True)
class WarmPipeline:
    """Landing, dbt and outputs in a process that stays warm, without a Dagster run around them."""

    workspace: Workspace
    prepared: PreparedManifest

    def land(self, customers: bytes, accounts: bytes) -> LandedDelivery | RefusedDeliveryError:
        """Land a delivery in the place of the one before, or say why not."""
        self.workspace.deliver(customers, accounts)
        found = find_delivery(self.workspace.inputs, AS_OF, Today(AS_OF))
        landing = self.workspace.settings().landing
        limits = SplitterLimits(memory_bytes=2**28, threads=1)
        try:
            return land(found, landing, limits, dt.datetime.now(dt.UTC), lambda _: None)
        except RefusedDeliveryError as error:
            return error

    def run(self, customers: bytes, accounts: bytes) -> Result | RefusedDeliveryError:
        """Process a delivery in the place of the one before, or say why not."""
        landed = self.land(customers, accounts)
        if isinstance(landed, RefusedDeliveryError):
            return landed
        warehouse = choose_warehouse(self.workspace.settings())
        with warehouse.session():
            warehouse.load_raw(self.workspace.settings().landing, AS_OF)
            arguments = [*build_arguments([AS_OF], _MODELS), *_NO_DBT_TESTS]
            nodes = run_dbt(self.prepared, arguments, warehouse.dbt_environment(), lambda *_: None)
            warehouse.disconnect_dbt()
            assert [node for node in nodes if node.is_failed] == []
            target = self.workspace.root / "output.csv"
            warehouse.copy_to_file(ACCOUNT_SUMMARY, target, "csv")
            summary = target.read_bytes()
            warehouse.copy_to_file(QUARANTINE, target, "csv")
            ledger = read_ledger(warehouse, AS_OF)
        assert ledger is not None
        return Result(summary, target.read_bytes(), ledger)


@pytest.fixture
def warm(workspace: Workspace) -> WarmPipeline:
    """A pipeline that is warm for the whole of one test."""
    own = workspace.settings()
    environment = choose_warehouse(own).dbt_environment()
    return WarmPipeline(workspace, prepare_manifest(environment, own.dbt_cache))


def test_every_spelling_of_every_field_ends_as_the_oracle_says(workspace: Workspace) -> None:
    customers, accounts = dirt.every_case()
    workspace.deliver(customers, accounts)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert report.ledger is not None
    outputs = workspace.output_bytes()
    _assert_same(
        Result(outputs["account_summary.csv"], outputs["quarantine.csv"], report.ledger),
        process(customers, accounts, AS_OF),
    )


def test_any_delivery_ends_as_the_oracle_says(
    warm: WarmPipeline, pytestconfig: pytest.Config
) -> None:
    examples = 15 if pytestconfig.getoption("exhaustive") else 5

    @settings(_repeatable, max_examples=examples)
    @given(strategies.deliveries)
    def check(delivery: tuple[bytes, bytes]) -> None:
        _assert_same(warm.run(*delivery), process(*delivery, AS_OF))

    check()


def test_any_bytes_are_split_or_refused_as_the_oracle_says(
    warm: WarmPipeline, pytestconfig: pytest.Config
) -> None:
    examples = 200 if pytestconfig.getoption("exhaustive") else 60
    accounts = ACCOUNT_HEADER.encode() + b"A,1,1,Savings\n"

    @settings(_repeatable, max_examples=examples)
    @given(strategies.wild_files, st.sampled_from((1, 3, 10, 30, WINDOW_BYTES)))
    def check(customers: bytes, window: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            # Quotes are looked at in windows: where they end must not matter.
            patch.setattr(quotes, "WINDOW_BYTES", window)
            landed = warm.land(customers, accounts)
        try:
            expected = split("Customer.csv", customers, dirt.CUSTOMER_COLUMNS)
        except Refused as refused:
            _assert_refused(landed, refused)
            return
        assert isinstance(landed, LandedDelivery), f"refused, but the oracle accepts it: {landed}"
        fields = ", ".join(CUSTOMERS.landed_columns)
        assert _rows(f"select {fields} from {relation_of(landed.folder, CUSTOMERS)}") == [
            it.fields for it in expected.landed
        ]
        assert _rows(f"from {duckdb_paths.parquet(landed.folder / 'rejects.parquet')}") == [
            ("Customer.csv", it.line_number, it.reason, it.raw) for it in expected.rejected
        ]
        assert landed.files[0].extra_columns == expected.extra_columns

    check()


def _rows(query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def _assert_same(result: Result | RefusedDeliveryError, expected: Outcome | Refused) -> None:
    if isinstance(expected, Refused):
        _assert_refused(result, expected)
        return
    assert isinstance(result, Result), f"refused, but the oracle accepts it: {result}"
    assert result.quarantine_csv == expected.quarantine_csv
    assert result.account_summary_csv == expected.account_summary_csv
    assert _numbers(result.ledger) == expected.ledger
    assert result.ledger.reasons == expected.reasons
    assert result.ledger.is_closed


def _assert_refused(result: object, expected: Refused) -> None:
    assert isinstance(result, RefusedDeliveryError), f"accepted, but the oracle says {expected!r}"
    if result.code == expected.why == "quote_left_open":
        assert result.place.line == expected.line


def _numbers(ledger: DeliveryLedger) -> dict[tuple[str, str], tuple[int, int | None, int | None]]:
    return {
        key: (
            entry.row_count,
            None if entry.balance is None else int(entry.balance.scaleb(2)),
            entry.balance_unknown,
        )
        for key, entry in ledger.entries.items()
    }
