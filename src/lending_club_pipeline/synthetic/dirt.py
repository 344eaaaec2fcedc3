# ruff: noqa: RUF001 - letters that only look like others are part of the dirt
"""Every kind of dirt in a synthetic delivery, and its result in the pipeline.

The reasons are those of the data model. A kind without a reason is odd but valid.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from lending_club_pipeline.contract.source_files import ACCOUNTS, CUSTOMERS
from lending_club_pipeline.ingest.csv.parsing import LONGEST_RECORD_BYTES

EXACT_DUPLICATE: Final = "exact_duplicate"
CONFLICTING_DUPLICATE: Final = "conflicting_duplicate"
CUSTOMER_NOT_FOUND: Final = "customer_not_found"
CUSTOMER_QUARANTINED: Final = "customer_quarantined"
HAS_LOAN_UNRECOGNISED: Final = "has_loan_unrecognised"
RECORD_TOO_LONG: Final = "record_too_long"

# Written as text, then replaced by a byte that is not UTF-8: an é in Latin-1.
NOT_UTF8_MARK: Final = "\x81"
NOT_UTF8_BYTE: Final = b"\xe9"


@dataclass(frozen=True)
class DirtKind:
    """A kind of dirt.

    Attributes:
        source_file: the file in which it occurs.
        name: its name; unique within a file.
        reasons: reasons for which its records are quarantined or rejected, sorted. Empty for valid
            records, and for exact duplicates, which are not quarantined.
        texts: texts that replace a column, as written to the file, in turn.
        records: SQL of the whole record from its columns, in turn.
    """

    source_file: str
    name: str
    reasons: tuple[str, ...] = ()
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    records: tuple[str, ...] = ()


_NOT_WHOLE_NUMBERS: Final = (
    "12.0", "-5", "+7", "1e5", '"1,000,001"', "N/A", "0", "9223372036854775808", "１２３", "1 2",
    "0x1F", "NULL", "1_000", "C1000001", "000",
)  # fmt: skip
_HAS_LOAN: Final = ("maybe", "N/A", "2", "yes!", "NULL", "Yes/No", "ye", "nο")
_BALANCES: Final = {
    "balance_missing": ("", "   ", '""', "\u00a0"),
    "balance_not_a_number": (
        "+5", ".5", "5.", "$ 5", "(5)", "1e3", "five", "N/A", "--5", "-$-5", '"1,23.00"', "NaN",
        "5 USD", "€5", "５.00", "1.2.3", "1_000", '"12,34"', "$", "- 5", '"1,000,00"', "0x10", "5-",
    ),
    "balance_negative": ("-5.00", "-$5.00", "$-5.00", '"-1,234.50"', "-0.01"),
    "balance_fraction_of_a_cent": ("12.345", "0.001", "$0.0050001", '"1,234.567"'),
    "balance_out_of_range": (
        "1000000000000000", "1000000000000000.00", '"$1,000,000,000,000,000.00"',
        "99999999999999999999.99",
    ),
}  # fmt: skip
_TYPES: Final = ("Saving", "Current", "SAVINGS ACCOUNT", "N/A", "ѕavings", "Savings.", "1")


def _of_field(file: str, column: str, reason: str, *texts: str) -> DirtKind:
    return DirtKind(file, reason, (reason,), {column: texts})


def _records(file: str, columns: tuple[str, ...]) -> tuple[DirtKind, ...]:
    """Return the kinds of records that do not split."""
    fields = [f'"{column}"' for column in columns]
    whole = " || ',' || ".join(fields)
    first, *rest = fields
    others = " || ',' || ".join(rest)
    wrong_number = "record_wrong_number_of_fields"
    return (
        DirtKind(
            file,
            "record_with_too_few_fields",
            (wrong_number,),
            records=(" || ',' || ".join(fields[:-1]), first),
        ),
        DirtKind(
            file,
            "record_with_too_many_fields",
            (wrong_number,),
            records=(f"{whole} || ','", f"{whole} || ',EUR'"),
        ),
        DirtKind(
            file,
            "record_broken_quoting",
            ("record_broken_quoting",),
            records=(
                f"""'"' || {first} || '"x,' || {others}""",
                f"""{first} || ',"5".00,' || {others}""",
            ),
        ),
        DirtKind(
            file,
            "record_not_utf8",
            ("record_not_utf8",),
            records=(f"{whole} || '{NOT_UTF8_MARK}'", f"'{NOT_UTF8_MARK}' || {whole}"),
        ),
    )


def _too_long(file: str, columns: tuple[str, ...]) -> DirtKind:
    whole = " || ',' || ".join(f'"{column}"' for column in columns)
    return DirtKind(
        file,
        RECORD_TOO_LONG,
        (RECORD_TOO_LONG,),
        records=(f"repeat('x', {LONGEST_RECORD_BYTES + 1}) || {whole}",),
    )


_CUSTOMER_KINDS: Final = (
    _of_field(CUSTOMERS.name, "CustomerID", "customer_id_missing", "", "   ", '""', "\u3000"),
    _of_field(CUSTOMERS.name, "CustomerID", "customer_id_not_a_whole_number", *_NOT_WHOLE_NUMBERS),
    _of_field(CUSTOMERS.name, "HasLoan", HAS_LOAN_UNRECOGNISED, *_HAS_LOAN),
    DirtKind(
        CUSTOMERS.name,
        "several_reasons",
        ("customer_id_not_a_whole_number", HAS_LOAN_UNRECOGNISED),
        {"CustomerID": ("abc",), "HasLoan": ("unknown",)},
    ),
    DirtKind(CUSTOMERS.name, EXACT_DUPLICATE),
    DirtKind(CUSTOMERS.name, "name_missing", (), {"Name": ("", "  ", '""')}),
    DirtKind(CUSTOMERS.name, "name_with_nul", (), {"Name": ("Ada\0Lovelace", "\0")}),
    DirtKind(
        CUSTOMERS.name,
        "name_with_line_end",
        (),
        {"Name": ('"Ada\nLovelace"', '"Grace\n\nHopper"', '"\nAlan"')},
    ),
    DirtKind(
        CUSTOMERS.name,
        "name_with_quotes",
        (),
        {"Name": ('"Ada ""Countess"" Lovelace"', 'Grace "Amazing" Hopper', ' "Turing, Alan" ')},
    ),
    *_records(CUSTOMERS.name, CUSTOMERS.columns),
    DirtKind(CUSTOMERS.name, CONFLICTING_DUPLICATE, (CONFLICTING_DUPLICATE,)),
    _too_long(CUSTOMERS.name, CUSTOMERS.columns),
)
_ACCOUNT_KINDS: Final = (
    _of_field(ACCOUNTS.name, "AccountID", "account_id_missing", "", "   ", '""', "\u2003"),
    _of_field(ACCOUNTS.name, "CustomerID", "customer_id_missing", "", "   ", '""', "\u3000"),
    _of_field(ACCOUNTS.name, "CustomerID", "customer_id_not_a_whole_number", *_NOT_WHOLE_NUMBERS),
    DirtKind(ACCOUNTS.name, CUSTOMER_NOT_FOUND, (CUSTOMER_NOT_FOUND,)),
    DirtKind(ACCOUNTS.name, CUSTOMER_QUARANTINED, (CUSTOMER_QUARANTINED,)),
    *(_of_field(ACCOUNTS.name, "Balance", reason, *texts) for reason, texts in _BALANCES.items()),
    DirtKind(
        ACCOUNTS.name,
        "balance_negative_fraction_of_a_cent",
        ("balance_fraction_of_a_cent", "balance_negative"),
        {"Balance": ("-1.005", "$-0.001", "-$12.3456")},
    ),
    DirtKind(
        ACCOUNTS.name,
        "balance_out_of_range_fraction_of_a_cent",
        ("balance_fraction_of_a_cent", "balance_out_of_range"),
        {"Balance": ("1000000000000000.001", "999999999999999.991", "$9999999999999999.999")},
    ),
    DirtKind(
        ACCOUNTS.name,
        "balance_at_the_limits",
        (),
        {"Balance": ("-0.00", "00000000000000000000.0100000", "0", "$-0", "0012345.6700")},
    ),
    _of_field(ACCOUNTS.name, "AccountType", "account_type_missing", "", "   ", '""', "\u00a0"),
    _of_field(ACCOUNTS.name, "AccountType", "account_type_unrecognised", *_TYPES),
    DirtKind(
        ACCOUNTS.name,
        "several_reasons",
        (
            "account_id_missing",
            "account_type_unrecognised",
            "balance_missing",
            "customer_id_not_a_whole_number",
        ),
        {"AccountID": ("",), "CustomerID": ("abc",), "Balance": ("",), "AccountType": ("Gold",)},
    ),
    DirtKind(ACCOUNTS.name, EXACT_DUPLICATE),
    *_records(ACCOUNTS.name, ACCOUNTS.columns),
    DirtKind(ACCOUNTS.name, CONFLICTING_DUPLICATE, (CONFLICTING_DUPLICATE,)),
    _too_long(ACCOUNTS.name, ACCOUNTS.columns),
)
DIRT_KINDS: Final = (*_CUSTOMER_KINDS, *_ACCOUNT_KINDS)


def kinds_of(source_file: str) -> Mapping[str, DirtKind]:
    """Return the kinds of dirt of a file by name."""
    return {kind.name: kind for kind in DIRT_KINDS if kind.source_file == source_file}
