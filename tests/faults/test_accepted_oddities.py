"""What the model accepts or counts although it looks odd: nothing is lost, nothing is guessed."""

import gzip

import pytest

from tests.faults.landings import ACCOUNTS, CUSTOMERS, Landing
from tests.workspaces import Workspace

ADA_AND_GRACE = [("1", "Ada Lovelace", "yes"), ("2", "Grace Hopper", "no")]


@pytest.fixture
def landing(tmp_path) -> Landing:
    landing = Landing(tmp_path)
    landing.deliver()
    return landing


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf" + CUSTOMERS, id="BOM"),
        pytest.param(CUSTOMERS.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(CUSTOMERS.replace(b"\n", b"\r"), id="CR"),
        pytest.param(CUSTOMERS[:-1], id="no line end at the end"),
        pytest.param(b"\n\n" + CUSTOMERS.replace(b"\n", b"\n\n"), id="empty lines"),
        pytest.param(
            b"customerid,NAME,hasLOAN\n1,Ada Lovelace,yes\n2,Grace Hopper,no\n", id="header case"
        ),
        pytest.param(
            b"Name,HasLoan,CustomerID\nAda Lovelace,yes,1\nGrace Hopper,no,2\n", id="column order"
        ),
        pytest.param(
            b' CustomerID ,\tName,"HasLoan "\n1,Ada Lovelace,yes\n2,Grace Hopper,no\n',
            id="header padding",
        ),
        pytest.param(
            b'"CustomerID","Name","HasLoan"\n"1","Ada Lovelace","yes"\n2, "Grace Hopper" ,no\n',
            id="quotes, with spaces around them",
        ),
    ],
)
def test_the_same_records_are_landed(landing: Landing, content: bytes) -> None:
    landing.customers.write_bytes(content)

    landed = landing.land()

    assert landing.records("customers") == ADA_AND_GRACE
    assert landing.rejects() == []
    assert landed.files[0].is_complete


def test_extra_columns_are_named_and_not_landed(landing: Landing) -> None:
    landing.customers.write_bytes(
        b"Branch,CustomerID,Name,,HasLoan\nX,1,Ada Lovelace,,yes\nY,2,Grace Hopper,,no\n"
    )

    landed = landing.land()

    assert landed.files[0].extra_columns == ("Branch", "")
    assert landing.records("customers") == ADA_AND_GRACE


def test_a_compressed_file_is_landed_like_a_plain_one(landing: Landing) -> None:
    landing.customers.unlink()
    (landing.folder / "Customer.csv.gz").write_bytes(gzip.compress(CUSTOMERS))

    landing.land()

    assert landing.records("customers") == ADA_AND_GRACE


def test_undated_files_are_the_delivery_of_the_date_asked_for(landing: Landing) -> None:
    for path in (landing.customers, landing.accounts):
        path.rename(landing.inputs / path.name)
    landing.folder.rmdir()

    landing.land()

    assert landing.records("customers") == ADA_AND_GRACE


def test_nul_bytes_are_text(landing: Landing) -> None:
    landing.customers.write_bytes(CUSTOMERS + b"3,A\0lan,\0\n")

    landing.land()

    assert landing.records("customers")[2] == ("3", "A\0lan", "\0")


def test_line_ends_quotes_and_commas_in_quotes_are_text(landing: Landing) -> None:
    landing.customers.write_bytes(CUSTOMERS + b'3,"Alan\n\n""Mathison"", Turing\r\n",no\n')

    landed = landing.land()

    assert landing.records("customers")[2] == ("3", 'Alan\n\n"Mathison", Turing\r\n', "no")
    assert landed.files[0].is_complete


def test_a_quote_inside_a_field_is_text(landing: Landing) -> None:
    landing.customers.write_bytes(CUSTOMERS + b'3,Alan "Al" Turing",no\n')

    landing.land()

    assert landing.records("customers")[2] == ("3", 'Alan "Al" Turing"', "no")


@pytest.mark.parametrize("quote", [b"", b'"'], ids=["plain", "quoted"])
def test_a_field_of_a_megabyte_is_landed_whole(landing: Landing, quote: bytes) -> None:
    name = b"x" * 2**20
    landing.customers.write_bytes(CUSTOMERS + b"3," + quote + name + quote + b",no\n")

    landing.land()

    assert landing.records("customers")[2] == ("3", name.decode(), "no")


@pytest.mark.parametrize(
    ("record", "reason", "shown"),
    [
        pytest.param(b"3", "record_wrong_number_of_fields", "3", id="one field"),
        pytest.param(b"3,Alan", "record_wrong_number_of_fields", "3,Alan", id="short"),
        pytest.param(
            b"3,Alan,no,", "record_wrong_number_of_fields", "3,Alan,no,", id="long by nothing"
        ),
        pytest.param(
            b"3,Turing, Alan,no", "record_wrong_number_of_fields", "3,Turing, Alan,no", id="long"
        ),
        pytest.param(
            b'3,"Al"an,no', "record_broken_quoting", '3,"Al"an,no', id="text behind a quote"
        ),
        pytest.param(
            b'3,"Alan" "Turing",no',
            "record_broken_quoting",
            '3,"Alan" "Turing",no',
            id="two quoted texts in a field",
        ),
        pytest.param(
            "3,Zoë,no".encode("latin-1"), "record_not_utf8", "3,Zo\ufffd,no", id="invalid UTF-8"
        ),
        pytest.param(
            b"3," + b"x" * (2 * 2**20) + b",no",
            "record_too_long",
            "3," + "x" * 9_998,
            id="over 2 MiB",
        ),
    ],
)
def test_a_record_that_does_not_split_is_rejected_and_its_neighbours_are_landed(
    landing: Landing, record: bytes, reason: str, shown: str
) -> None:
    landing.customers.write_bytes(CUSTOMERS + record + b"\n4,Emmy Noether,no\n")

    landed = landing.land()

    assert landing.rejects() == [("Customer.csv", 4, reason, shown)]
    assert landing.records("customers") == [*ADA_AND_GRACE, ("4", "Emmy Noether", "no")]
    assert landed.files[0].rejected_records == 1
    assert landed.files[0].is_complete


def test_a_record_with_thousands_of_fields_too_many_takes_little_memory(landing: Landing) -> None:
    # The parser tells of each field, with the first 10,000 characters of the record: 300 MB.
    fields = 30_000
    landing.customers.write_bytes(CUSTOMERS + b"3" + b"," * fields + b"\n4,Edsger Dijkstra,no\n")

    landing.land(memory_bytes=2**27)

    assert landing.records("customers") == [*ADA_AND_GRACE, ("4", "Edsger Dijkstra", "no")]
    ((_, line, reason, raw),) = landing.rejects()
    assert (line, reason) == (4, "record_wrong_number_of_fields")
    assert raw == "3" + "," * 9_999


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_rejected_records_stand_on_the_line_that_an_editor_shows(
    landing: Landing, end: bytes
) -> None:
    other = b"\n" if end == b"\r" else b"\r"
    lines = [
        b"CustomerID,Name,HasLoan",
        b'1,"A' + other + other + b'da",yes',
        b'2,"Grace',
        b"",
        b'Hopper",no',
        b"too,few",
        b'3,"x' + other + b'y",no,"and' + other + b'one"',
        b"",
        b'4,"broken' + other + b'" quote,no',
        b"many,too,few,fields",
    ]
    landing.customers.write_bytes(end.join(lines) + end)

    landed = landing.land().files[0]

    wrong = "record_wrong_number_of_fields"
    found = [(line, reason) for _, line, reason, _ in landing.rejects()]
    assert found == [(6, wrong), (7, wrong), (9, "record_broken_quoting"), (10, wrong)]
    assert landed.physical_lines == len(lines)
    assert (landed.landed_lines, landed.rejected_lines, landed.empty_lines) == (4, 4, 1)


def test_a_file_whose_last_line_alone_has_no_end_is_named(landing: Landing) -> None:
    assert landing.land().maybe_cut_off == set()
    landing.accounts.write_bytes(ACCOUNTS.rstrip(b"\n"))
    assert landing.land().maybe_cut_off == {"accounts.csv"}
    unchanged = landing.land()
    assert unchanged.is_unchanged
    assert unchanged.maybe_cut_off == {"accounts.csv"}


def test_a_file_of_which_every_record_is_rejected_is_accepted(landing: Landing) -> None:
    landing.accounts.write_bytes(b"AccountID,CustomerID,Balance,AccountType\nA1\nA2\n")

    landed = landing.land()

    assert landing.records("accounts") == []
    assert landed.files[1].rejected_records == 2


def test_oddities_together_are_counted_with_record_or_line_and_reason(
    workspace: Workspace,
) -> None:
    workspace.deliver(
        b"\xef\xbb\xbfname,HASLOAN, CustomerID ,Branch\r\n"
        b"Ada,yes,1,X\r\n"
        b"Grace,maybe,2,X\r\n"
        b"\r\n"
        b"short\r\n"
        b"\xff,no,3,X\r\n"
        b'"Al"an,no,4,X\r\n',
        ACCOUNTS + b"A3,1,12.345,Savings\nA4,1,1.00,Savings,\n",
    )

    report = workspace.run()

    assert report.outcome == "success", report.message
    assert (workspace.outputs / "account_summary.csv").read_text().splitlines()[1:] == [
        "1,A1,100.00,0.0150,1.50,101.50"
    ]
    assert (workspace.outputs / "quarantine.csv").read_text() == (
        "as_of_date,source_file,record_number,line_number,reasons,raw_record\n"
        '2026-01-31,Customer.csv,2,,has_loan_unrecognised,"2,Grace,maybe"\n'
        "2026-01-31,Customer.csv,,5,record_wrong_number_of_fields,short\n"
        '2026-01-31,Customer.csv,,6,record_not_utf8,"\ufffd,no,3,X"\n'
        '2026-01-31,Customer.csv,,7,record_broken_quoting,"""Al""an,no,4,X"\n'
        '2026-01-31,accounts.csv,2,,customer_quarantined,"A2,2,200.00,Checking"\n'
        '2026-01-31,accounts.csv,3,,balance_fraction_of_a_cent,"A3,1,12.345,Savings"\n'
        '2026-01-31,accounts.csv,,5,record_wrong_number_of_fields,"A4,1,1.00,Savings,"\n'
    )


def test_keys_that_grow_as_texts_and_are_equal_when_cleaned_are_found(workspace: Workspace) -> None:
    # A file in the order of its keys needs no search among plain keys, but these are not plain.
    workspace.deliver(
        "1,Ada,No\n2,Grace,No\n",
        "A1,1,1.00,Savings\nA2,1,2.00,Savings\nA2 ,1,3.00,Savings\nA3,2,4.00,Savings\n"
        "A4,2,5.00,Savings\nA4 ,2,5.00,Savings\n",
    )

    report = workspace.run()

    assert report.outcome == "success", report.message
    outputs = workspace.output_bytes()
    published = [it.split(b",")[1] for it in outputs["account_summary.csv"].splitlines()[1:]]
    assert published == [b"A1", b"A3", b"A4"]
    assert outputs["quarantine.csv"].count(b"conflicting_duplicate") == 2
