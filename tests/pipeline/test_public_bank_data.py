"""Bank data that nobody here made up: real balances, some of them overdrawn."""

from tests.data.public_bank.convert import delivery, records
from tests.oracle import Outcome, process
from tests.workspaces import AS_OF, Workspace


def test_public_bank_data_ends_as_the_oracle_says_every_overdrawn_account_in_quarantine(
    workspace: Workspace,
) -> None:
    customers, accounts = delivery()
    workspace.deliver(customers, accounts)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert report.ledger is not None
    expected = process(customers, accounts, AS_OF)
    assert isinstance(expected, Outcome)
    outputs = workspace.output_bytes()
    assert outputs["account_summary.csv"] == expected.account_summary_csv
    assert outputs["quarantine.csv"] == expected.quarantine_csv
    assert report.ledger.reasons == expected.reasons

    balances = [int(record["balance"]) for record in records()]
    overdrawn = [balance for balance in balances if balance < 0]
    assert len(overdrawn) == 5
    assert report.ledger.reasons == {("accounts.csv", "balance_negative"): len(overdrawn)}
    published = report.ledger.entries["accounts.csv", "published"]
    assert published.row_count == len(balances) - len(overdrawn)
    assert published.balance == sum(balance for balance in balances if balance >= 0)
