"""Why a record is not used, in plain words: the only place where the reasons are explained."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True)
class Reason:
    """A reason for which a record is rejected or quarantined.

    Attributes:
        title: the reason in a few words.
        meaning: what is wrong, for readers who do not know the rules.
        remedy: what the sender of the delivery should do.
    """

    title: str
    meaning: str
    remedy: str


_REJECTED: Final = {
    "record_wrong_number_of_fields": Reason(
        "Wrong number of fields",
        "The line has more or fewer fields than the header. One extra comma is enough, also at "
        "the end of the line.",
        "Put fields that contain a comma in double quotes, and remove stray commas.",
    ),
    "record_broken_quoting": Reason(
        "Broken quotes",
        "A double quote was opened and not closed properly, so that it is not clear where a "
        "field ends.",
        "Close every quoted field, and double the quotes that belong to its text.",
    ),
    "record_not_utf8": Reason(
        "Unreadable characters",
        "The line holds bytes that are not text in UTF-8.",
        "Export the file in the UTF-8 encoding.",
    ),
    "record_too_long": Reason(
        "Record too long",
        "The record is longer than 2 MiB, far beyond any real one.",
        "Look for a missing line end or a quote that was never closed, and export again.",
    ),
}
_QUARANTINED_IN_STAGING: Final = {
    "customer_id_missing": Reason(
        "Customer number missing",
        "The record does not say which customer it belongs to.",
        "Fill in CustomerID.",
    ),
    "customer_id_not_a_whole_number": Reason(
        "Customer number not a whole number",
        "CustomerID must be a whole number from 1 to 9,223,372,036,854,775,807, written in "
        "digits only: no sign, point or separator.",
        "Correct CustomerID; export it as a number, not as formatted text.",
    ),
    "account_id_missing": Reason(
        "Account number missing",
        "The record does not name its account.",
        "Fill in AccountID.",
    ),
    "has_loan_unrecognised": Reason(
        "Loan flag not recognised",
        "HasLoan decides on the loan bonus. It must be yes, y, true or 1; no, n, false or 0; none "
        "or empty.",
        "Use one of these words in HasLoan.",
    ),
    "balance_missing": Reason(
        "Balance missing",
        "The account has no balance. An empty balance is not taken for zero.",
        "Fill in Balance; write 0.00 for an empty account.",
    ),
    "balance_not_a_number": Reason(
        "Balance not a number",
        "Balance is not written as an amount that can be read without guessing, such as 1234.50, "
        "1,234.50 or $1,234.50.",
        "Write the balance in digits with a point before the cents: no words, brackets, plus "
        "signs or exponents.",
    ),
    "balance_negative": Reason(
        "Balance negative",
        "The balance is below zero. Interest is computed on balances of 0.00 and more only.",
        "Check the account; correct the balance, or leave the account out.",
    ),
    "balance_fraction_of_a_cent": Reason(
        "Balance with a fraction of a cent",
        "The balance has more than two decimals. It is not rounded: nobody guesses with money.",
        "Round the balance to cents in the system that it comes from.",
    ),
    "balance_out_of_range": Reason(
        "Balance out of range",
        "The balance is above 999,999,999,999,999.99.",
        "Check the amount; decimals or separators may have been lost in the export.",
    ),
    "account_type_missing": Reason(
        "Account type missing",
        "The record does not say whether the account is a savings or a checking account.",
        "Fill in AccountType with Savings or Checking.",
    ),
    "account_type_unrecognised": Reason(
        "Account type not recognised",
        "AccountType is neither Savings nor Checking.",
        "Use Savings or Checking in AccountType.",
    ),
    "conflicting_duplicate": Reason(
        "Conflicting duplicates",
        "Several records have the same number, but they do not agree or one of them is not valid. "
        "None of them is used: nobody guesses which one is right.",
        "Send each customer and each account once.",
    ),
}
_QUARANTINED_AT_THE_JOIN: Final = {
    "customer_not_found": Reason(
        "Customer not found",
        "The account belongs to a customer who is not in Customer.csv.",
        "Add the customer to Customer.csv, or correct the account's CustomerID.",
    ),
    "customer_quarantined": Reason(
        "Customer in quarantine",
        "The account's customer was delivered, but that record is itself in quarantine.",
        "Correct the customer's record; the account then needs no change.",
    ),
}

REASONS: Final[Mapping[str, Reason]] = MappingProxyType(
    _REJECTED | _QUARANTINED_IN_STAGING | _QUARANTINED_AT_THE_JOIN
)


def explain(reason: str) -> Reason:
    """Explain a reason; one that is not known keeps its name and says so."""
    return REASONS.get(reason) or Reason(
        reason.replace("_", " ").capitalize(),
        "This version of the pipeline has no explanation for this reason.",
        "Ask those who run the pipeline.",
    )
