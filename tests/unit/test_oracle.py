"""The oracle itself, held to examples that were worked out by hand from the data model."""

import datetime as dt
from decimal import Decimal

import pytest

from tests.oracle import DEFAULT, Outcome, Refused, process
from tests.oracle.cleaning import WHITE_SPACE, balance, customer_id, has_loan, name
from tests.oracle.processing import Rates
from tests.oracle.splitting import split

AS_OF = dt.date(2026, 1, 31)
COLUMNS = ("CustomerID", "Name", "HasLoan")
HEADER = b"CustomerID,Name,HasLoan\n"


def test_white_space_is_the_25_code_points_of_unicode() -> None:
    # Python calls four separators of ASCII white space, which Unicode's property leaves out.
    spaces = {chr(it) for it in range(0x110000) if chr(it).isspace()}

    assert spaces - {"\x1c", "\x1d", "\x1e", "\x1f"} == WHITE_SPACE
    assert len(WHITE_SPACE) == 25


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("0", 0),
        ("-0.00", 0),
        ("$1,234.5", 123450),
        (" 007.100 ", 710),
        ("999,999,999,999,999.99", 99999999999999999),
        ("0999999999999999.990", 99999999999999999),
    ],
)
def test_an_accepted_balance_is_read_to_the_cent(text: str, cents: int) -> None:
    assert balance(text).value == Decimal(cents) / 100


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        ("", "balance_missing"),
        ("\u3000", "balance_missing"),
        ("+5", "balance_not_a_number"),
        (".5", "balance_not_a_number"),
        ("5.", "balance_not_a_number"),
        ("$ 5", "balance_not_a_number"),
        ("1e3", "balance_not_a_number"),
        ("12,34", "balance_not_a_number"),
        ("1234,567", "balance_not_a_number"),
        ("-$5", "balance_negative"),
        ("$-0.01", "balance_negative"),
        ("0.001", "balance_fraction_of_a_cent"),
        ("1000000000000000", "balance_out_of_range"),
        ("-1000000000000000", "balance_negative"),
        ("-0.001", "balance_fraction_of_a_cent;balance_negative"),
        ("999999999999999.991", "balance_fraction_of_a_cent;balance_out_of_range"),
    ],
)
def test_a_refused_balance_has_its_reasons(text: str, reasons: str) -> None:
    cleaned = balance(text)

    assert cleaned.value is None
    assert ";".join(sorted(cleaned.reasons)) == reasons


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("\u20030042\t", 42),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", None),
        ("0", None),
        ("1.0", None),
        ("\uff11", None),
    ],
)
def test_a_customer_id_is_a_whole_number_of_63_bits(text: str, value: int | None) -> None:
    assert customer_id(text).value == value


def test_names_are_lowered_one_code_point_at_a_time() -> None:
    assert (
        name(" \u0130STANBUL\u3000\u2028\u03a3\u0391\u03a3 ").value == "istanbul \u03c3\u03b1\u03c3"
    )
    assert name("\u2003").value is None


def test_the_case_of_flags_is_ignored_for_ascii_only() -> None:
    assert has_loan(" YES ").value == "Yes"
    assert has_loan("").value == has_loan("None").value == "None"
    assert has_loan("ye\u017f").reasons == ("has_loan_unrecognised",)


def test_records_that_do_not_split_are_rejected_with_line_reason_and_text() -> None:
    content = HEADER + (
        b'1,"Ada\n\nLovelace",yes\n'  # lines 2 to 4
        b"\n"
        b"2,Alan\n"
        b'3,"Grace"x,no\n'
        b"4,\xff,no\n"
        b'5, "Mary" ,no,\n'
        b'6, "M""ary" ,no'
    )

    found = split("Customer.csv", content, COLUMNS)

    assert [(it.record_number, it.fields) for it in found.landed] == [
        (1, ("1", "Ada\n\nLovelace", "yes")),
        (2, ("6", 'M"ary', "no")),
    ]
    assert [(it.line_number, it.reason, it.raw) for it in found.rejected] == [
        (6, "record_wrong_number_of_fields", "2,Alan"),
        (7, "record_broken_quoting", '3,"Grace"x,no'),
        (8, "record_not_utf8", "4,\ufffd,no"),
        (9, "record_wrong_number_of_fields", '5, "Mary" ,no,'),
    ]


def test_a_record_may_be_two_mebibytes_long_and_no_longer() -> None:
    longest = b"1," + b"x" * (2 * 1024 * 1024 - 6) + b",yes"

    found = split("Customer.csv", HEADER + longest + b"\n" + longest + b"!\n", COLUMNS)

    assert [it.record_number for it in found.landed] == [1]
    assert [(it.line_number, it.reason) for it in found.rejected] == [(3, "record_too_long")]
    assert len(found.rejected[0].raw) == 10_000


def test_columns_are_found_in_any_order_case_and_padding() -> None:
    content = b'\xef\xbb\xbf\r\nHASLOAN,Branch, "customerid\xc2\xa0" ,name\r\nyes,x,1,Ada\r\n'

    found = split("Customer.csv", content, COLUMNS)

    assert found.landed[0].fields == ("1", "Ada", "yes")
    assert found.extra_columns == ("Branch",)


@pytest.mark.parametrize(
    ("content", "why", "line"),
    [
        (b"", "empty", None),
        (b"\xef\xbb\xbf\n\n", "empty", None),
        (HEADER, "header_only", None),
        (b"CustomerID,Name\n1,Ada\n", "column_missing", None),
        (b"CustomerID;Name;HasLoan\n1;Ada;yes\n", "column_missing", None),
        (b"CustomerID,Name,HasLoan,NAME\n1,Ada,yes,x\n", "column_duplicate", None),
        (HEADER + b"1,Ada,yes\r\n", "mixed_line_ends", None),
        (HEADER + b"1,A\rda,yes\n", "mixed_line_ends", None),
        (HEADER + b'1,Ada,yes\n2,"Alan,no\n3,Grace,no\n', "quote_left_open", 3),
        (HEADER + b'1,"A\nda",yes\n2,"Al\nan"x,no\n', "quote_left_open", 4),
    ],
)
def test_a_file_is_refused_as_a_whole(content: bytes, why: str, line: int | None) -> None:
    with pytest.raises(Refused) as caught:
        split("Customer.csv", content, COLUMNS)

    assert (caught.value.why, caught.value.line) == (why, line)


CUSTOMERS = HEADER + (
    b"1,Ada,yes\n01, ADA ,TRUE\n"  # the same customer twice
    b"2,Alan,no\n2,Alan,none\n"  # two that contradict each other
    b"3,Grace,no\n"
)
ACCOUNTS = (
    b"AccountID,CustomerID,Balance,AccountType\n"
    b"A1,1,9999.99,Savings\n"
    b"A2,3,10000.33,Savings\n"
    b"A3,3,20000,checking\n"
    b"A4,2,5,Savings\n"
    b"A5,9,-5.001,\n"
    b"A1, 1 ,$9999.990,SAVINGS\n"
    b'"A,6",x\n'
)


def test_a_delivery_is_processed_to_the_byte() -> None:
    outcome = process(CUSTOMERS, ACCOUNTS, AS_OF)

    assert isinstance(outcome, Outcome)
    # 9999.99 x 1.5 % = 149.99985; 10000.33 x 1.5 % = 150.00495.
    assert outcome.account_summary_csv.decode() == (
        "customer_id,account_id,original_balance,interest_rate,annual_interest,new_balance\n"
        "1,A1,9999.99,0.0150,150.00,10149.99\n"
        "3,A2,10000.33,0.0150,150.00,10150.33\n"
    )
    assert outcome.quarantine_csv.decode() == (
        "as_of_date,source_file,record_number,line_number,reasons,raw_record\n"
        '2026-01-31,Customer.csv,3,,conflicting_duplicate,"2,Alan,no"\n'
        '2026-01-31,Customer.csv,4,,conflicting_duplicate,"2,Alan,none"\n'
        '2026-01-31,accounts.csv,4,,customer_quarantined,"A4,2,5,Savings"\n'
        "2026-01-31,accounts.csv,5,,account_type_missing;balance_fraction_of_a_cent;"
        'balance_negative;customer_not_found,"A5,9,-5.001,"\n'
        '2026-01-31,accounts.csv,,8,record_wrong_number_of_fields,"""A,6"",x"\n'
    )


def test_the_ledger_of_a_delivery_adds_up() -> None:
    outcome = process(CUSTOMERS, ACCOUNTS, AS_OF)

    assert isinstance(outcome, Outcome)
    customers = {stage: it[0] for (file, stage), it in outcome.ledger.items() if file[0] == "C"}
    assert customers == {
        "records": 5,
        "rejected": 0,
        "landed": 5,
        "exact_duplicate": 1,
        "quarantined_staging": 2,
        "cleaned": 2,
    }
    accounts = {stage: it for (file, stage), it in outcome.ledger.items() if file[0] == "a"}
    assert accounts == {
        "records": (7, 5_000_531, 2),
        "rejected": (1, 0, 1),
        "landed": (6, 5_000_531, 1),
        "exact_duplicate": (1, 999_999, 0),
        "quarantined_staging": (1, 0, 1),
        "cleaned": (4, 4_000_532, 0),
        "quarantined_join": (1, 500, 0),
        "joined": (3, 4_000_032, 0),
        "not_savings": (1, 2_000_000, 0),
        "published": (2, 2_000_032, 0),
    }


def test_one_refused_file_refuses_the_delivery() -> None:
    outcome = process(CUSTOMERS, b"AccountID\n1\n", AS_OF)

    assert isinstance(outcome, Refused)
    assert (outcome.file, outcome.why) == ("accounts.csv", "column_missing")


@pytest.mark.parametrize(
    ("amount", "has_loan", "rate"),
    [
        ("0", "No", "0.0100"),
        ("9999.99", "None", "0.0100"),
        ("10000", "No", "0.0150"),
        ("19999.99", "Yes", "0.0200"),
        ("20000", "Yes", "0.0250"),
    ],
)
def test_the_rate_follows_from_tier_and_loan(amount: str, has_loan: str, rate: str) -> None:
    assert DEFAULT.annual(Decimal(amount), has_loan, AS_OF) == Decimal(rate)


def test_the_rates_in_force_on_the_date_are_used() -> None:
    later = dt.date(2026, 2, 1)
    rates = Rates(
        (*DEFAULT.tiers, (later, Decimal(0), Decimal("0.0300"))),
        (*DEFAULT.bonuses, (later, Decimal("0.0001"))),
    )

    assert rates.annual(Decimal(50_000), "Yes", AS_OF) == Decimal("0.0250")
    assert rates.annual(Decimal(50_000), "Yes", later) == Decimal("0.0301")
