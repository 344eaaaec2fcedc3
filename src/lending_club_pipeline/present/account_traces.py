"""Describe a trace on the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from lending_club_pipeline.contract.numbers import format_money, format_rate
from lending_club_pipeline.contract.reasons import explain
from lending_club_pipeline.explanations.traces import (
    REJECTED_RECORDS,
    AccountTrace,
    CustomerTrace,
    InterestTrace,
    RecordTrace,
)

_TIERS: Final = "dbt/seeds/interest_rate_tiers.csv"
_BONUS: Final = "dbt/seeds/loan_bonus_rates.csv"
_ROUNDING: Final = "dbt/macros/rules/interest_on.sql"
_OUTCOMES: Final = {
    "published": "published in account_summary",
    "not_savings": "not published: only savings accounts bear interest (int_savings_accounts_only)",
    "exact_duplicate": "dropped: it has the same values as an earlier record (exact_duplicate)",
    "quarantined": "quarantined",
    "cleaned": "cleaned (stg_customers__cleaned)",
}


def account_lines(trace: AccountTrace, currency: str) -> Iterator[str]:
    """Describe the trace of an account, line by line."""
    yield f"Account {trace.account_id} in the delivery of {trace.as_of_date}"
    for record in trace.records:
        yield ""
        yield from _record_lines(record)
    if trace.customer_records:
        yield ""
        yield "Its customer"
        for record in trace.customer_records:
            yield from _indented(_record_lines(record))
    elif any(record.status == "quarantined" for record in trace.records):
        yield ""
        yield "Its customer: Customer.csv of that day has no record with a readable, equal number."
        yield f"  {REJECTED_RECORDS}"
    if trace.interest is not None:
        yield ""
        yield "Its interest"
        yield from _indented(_interest_lines(trace.interest, currency))


def customer_lines(trace: CustomerTrace) -> Iterator[str]:
    """Describe the trace of a customer, line by line."""
    yield f"Customer {trace.customer_id} in the delivery of {trace.as_of_date}"
    if not trace.records:
        yield ""
        yield f"Customer.csv has no record of that number; accounts name it. {REJECTED_RECORDS}"
    for record in trace.records:
        yield ""
        yield from _record_lines(record)
    yield ""
    yield f"Accounts that name this customer: {len(trace.accounts)}"
    for account in trace.accounts:
        identity = account.raw["AccountID"].strip()
        yield f"  {identity}: {_outcome(account)} (record {account.record_number})"


def _record_lines(record: RecordTrace) -> Iterator[str]:
    yield f"{record.delivered_name}, record {record.record_number}: {_OUTCOMES[record.status]}"
    width = max(len(name) for name in record.raw)
    for name, text in record.raw.items():
        yield f"  {name:{width}}  {_field(text, record.typed, name)}"
    if record.typed is None:
        yield "  (Text only: typed values are kept only for the delivery processed last.)"
    for reason in record.reasons:
        known = explain(reason)
        yield f"  {reason}: {known.meaning}"
        yield f"    What to do: {known.remedy}"


def _field(text: str, typed: dict[str, Any] | None, name: str) -> str:
    if typed is None:
        return repr(text)
    value = typed.get(name)
    if value is None or (value == "" and text != ""):
        return f"{text!r} → not accepted" if text.strip() else f"{text!r} → missing"
    return repr(text) if str(value) == text else f"{text!r} → {value}"


def _outcome(record: RecordTrace) -> str:
    if record.status == "quarantined":
        return f"quarantined, {', '.join(record.reasons)}"
    return record.status.replace("_", " ")


def _interest_lines(interest: InterestTrace, currency: str) -> Sequence[str]:
    upper = interest.next_lower_bound
    balance, earned = interest.original_balance, interest.annual_interest
    tier = f"{format_money(interest.lower_bound)} ≤ balance"
    if upper is not None:
        tier += f" < {format_money(upper)}"
    bonus = "none: the customer has no loan on record"
    if interest.annual_bonus_rate:
        bonus = f"+ {format_rate(interest.annual_bonus_rate)}: the customer has a loan"
    rate = interest.interest_rate
    product = f"{format_money(balance)} x {rate} = {balance * rate:,f}"
    new = format_money(interest.new_balance)
    since = f"in force since {interest.effective_date}"
    lines = {
        "Balance": f"{format_money(balance)} {currency}",
        "Tier": f"{tier}: {format_rate(interest.annual_base_rate)}, {since}  [{_TIERS}]",
        "Loan bonus": f"{bonus}  [{_BONUS}]",
        "Interest rate": f"{format_rate(rate)} ({rate})",
        "Interest": f"{product}, rounded half up to {format_money(earned)}  [{_ROUNDING}]",
        "New balance": f"{format_money(balance)} + {format_money(earned)} = {new} {currency}",
    }
    return [f"{name:14} {text}" for name, text in lines.items()]


def _indented(lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    for line in lines:
        yield f"  {line}"
