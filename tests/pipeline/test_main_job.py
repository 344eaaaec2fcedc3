"""The main job on small deliveries with hand-worked results."""

from tests.workspaces import Workspace

CUSTOMERS = "1,Ada Lovelace,yes\n2,Grace Hopper,no\n3,Alan Turing,none\n"
ACCOUNTS = (
    "A1,1,9999.99,Savings\n"
    "A2,2,10000.00,Savings\n"
    "A3,3,20000.00,savings\n"
    "A4,1,500,Checking\n"
    "A5,9,1.00,Savings\n"
)


def test_every_savings_account_gets_its_rate_and_interest(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert (workspace.outputs / "account_summary.csv").read_text() == (
        "customer_id,account_id,original_balance,interest_rate,annual_interest,new_balance\n"
        "1,A1,9999.99,0.0150,150.00,10149.99\n"
        "2,A2,10000.00,0.0150,150.00,10150.00\n"
        "3,A3,20000.00,0.0200,400.00,20400.00\n"
    )


def test_an_account_without_customer_is_quarantined(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    workspace.run()

    assert (workspace.outputs / "quarantine.csv").read_text() == (
        "as_of_date,source_file,record_number,line_number,reasons,raw_record\n"
        '2026-01-31,accounts.csv,5,,customer_not_found,"A5,9,1.00,Savings"\n'
    )


def test_a_second_run_gives_the_same_bytes(workspace: Workspace) -> None:
    workspace.deliver(CUSTOMERS, ACCOUNTS)

    workspace.run()
    first = workspace.output_bytes()
    workspace.run()

    assert workspace.output_bytes() == first
