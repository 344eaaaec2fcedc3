"""Deliveries of several dates -> histories, changes, profiles and month-ends.

Everything is computed anew from all deliveries, one date and one key after the other: in which
order they came, and which of them came twice, cannot matter here.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar

from tests.oracle.processing import CENT, Account, Outcome, Rates

END_OF_TIME = dt.date(9999, 12, 31)
ONE_DAY = dt.timedelta(days=1)
NOTHING = Decimal("0.00")
KINDS = (
    *("opened", "closed", "quarantined", "released"),
    *("balance_changed", "loan_flag_changed", "tier_changed", "rate_changed"),
    *("type_changed", "owner_changed"),
)

Key = TypeVar("Key", bound=Hashable)
State = TypeVar("State")
Deliveries = Mapping[dt.date, Outcome]
Row = tuple[object, ...]


def account_history(deliveries: Deliveries) -> set[Row]:
    """account_id, customer_id, account_type, balance, valid_from, valid_to, is_current."""
    states = {date: it.accounts for date, it in deliveries.items()}
    return {
        (key, it.customer_id, it.account_type, it.balance, begin, end, end == END_OF_TIME)
        for key, it, begin, end in _versions(states)
    }


def customer_history(deliveries: Deliveries) -> set[Row]:
    """customer_id, name, has_loan, valid_from, valid_to, is_current."""
    states = {date: it.customers for date, it in deliveries.items()}
    return {
        (key, it.name, it.has_loan, begin, end, end == END_OF_TIME)
        for key, it, begin, end in _versions(states)
    }


def _versions(
    states: Mapping[dt.date, Mapping[Key, State]],
) -> Iterator[tuple[Key, State, dt.date, dt.date]]:
    for key in {key for known in states.values() for key in known}:
        state, begin = None, END_OF_TIME
        for date in sorted(states):
            found = states[date].get(key)
            if found == state:
                continue
            if state is not None:
                yield key, state, begin, date
            state, begin = found, date
        if state is not None:
            yield key, state, begin, END_OF_TIME


def delivery_changes(deliveries: Deliveries, rates: Rates) -> set[Row]:
    """as_of_date, change, previous_date, accounts, balance_before, balance_after."""
    dates = sorted(deliveries)
    return {
        (date, kind, previous, *_totals(kind, deliveries, previous, date, rates))
        for previous, date in pairwise(dates)
        for kind in KINDS
    }


def _totals(
    kind: str, deliveries: Deliveries, previous: dt.date, date: dt.date, rates: Rates
) -> tuple[int, Decimal, Decimal]:
    before, after = _used(deliveries[previous]), _used(deliveries[date])
    count, balance_before, balance_after = 0, NOTHING, NOTHING
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            other = deliveries[previous if old is None else date]
            came, went = (
                ("released", "quarantined")
                if key in other.quarantined_accounts
                else ("opened", "closed")
            )
            kinds = {came if old is None else went}
        else:
            kinds = set(_kinds(old, new, previous, date, rates))
        if kind in kinds:
            count += 1
            balance_before += old[0].balance if old else 0
            balance_after += new[0].balance if new else 0
    return count, balance_before, balance_after


def _used(delivery: Outcome) -> dict[str, tuple[Account, str]]:
    return {key: (account, has_loan) for key, account, has_loan in _with_customers(delivery)}


def _kinds(
    before: tuple[Account, str],
    after: tuple[Account, str],
    previous: dt.date,
    date: dt.date,
    rates: Rates,
) -> Iterator[str]:
    (old, old_loan), (new, new_loan) = before, after
    if old.balance != new.balance:
        yield "balance_changed"
    if old_loan != new_loan:
        yield "loan_flag_changed"
    if old.account_type != new.account_type:
        yield "type_changed"
    if old.customer_id != new.customer_id:
        yield "owner_changed"
    if old.account_type == new.account_type == "Savings":
        is_same_tier = _tier(rates, old.balance, previous) == _tier(rates, new.balance, date)
        rate = rates.annual(old.balance, old_loan, previous)
        if not is_same_tier:
            yield "tier_changed"
        elif old_loan == new_loan and rate != rates.annual(new.balance, new_loan, date):
            yield "rate_changed"


def _loan(delivery: Outcome, account: Account) -> str | None:
    customer = delivery.customers.get(account.customer_id)
    return customer.has_loan if customer else None


def _tier(rates: Rates, balance: Decimal, date: dt.date) -> Decimal:
    since = max(it[0] for it in rates.tiers if it[0] <= date)
    return max(bound for begin, bound, _ in rates.tiers if begin == since and bound <= balance)


def customer_profile(deliveries: Deliveries, rates: Rates) -> set[Row]:
    """The columns of the model, in their order."""
    newest = max(deliveries)
    now = deliveries[newest]
    profiles = set()
    for customer in {key for it in deliveries.values() for key in it.customers}:
        seen = [date for date, it in deliveries.items() if customer in it.customers]
        is_current = customer in now.customers
        accounts = [it for it in now.accounts.values() if it.customer_id == customer]
        used = accounts if is_current else []
        has_loan = deliveries[max(seen)].customers[customer].has_loan
        profiles.add(
            (
                customer,
                is_current,
                has_loan,
                *_count_and_sum(used, "Savings"),
                *_count_and_sum(used, "Checking"),
                sum(
                    (
                        _annual_interest(it, has_loan, newest, rates)
                        for it in used
                        if it.account_type == "Savings"
                    ),
                    NOTHING,
                ),
                _share(now.quarantined[customer], len(used)),
                min(seen),
                max(seen),
            )
        )
    return profiles


def _count_and_sum(accounts: list[Account], kind: str) -> tuple[int, Decimal]:
    balances = [it.balance for it in accounts if it.account_type == kind]
    return len(balances), sum(balances, NOTHING)


def _annual_interest(account: Account, has_loan: str, date: dt.date, rates: Rates) -> Decimal:
    exact = account.balance * rates.annual(account.balance, has_loan, date)
    return exact.quantize(CENT, ROUND_HALF_UP)


def _share(quarantined: int, used: int) -> Decimal | None:
    if quarantined + used == 0:
        return None
    return (Decimal(quarantined) / (quarantined + used)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def account_summary_monthly(deliveries: Deliveries, rates: Rates, months: set[dt.date]) -> set[Row]:
    """The columns of the model, in their order; day by day and account by account."""
    rows: set[Row] = set()
    for month in months:
        within = [date for date in deliveries if date.replace(day=1) == month]
        if within:
            rows |= _month(deliveries, rates, month, max(within))
    return rows


def _month(deliveries: Deliveries, rates: Rates, month: dt.date, last: dt.date) -> set[Row]:
    interest: dict[tuple[int, str, str], Fraction] = defaultdict(Fraction)
    day = month
    while day <= last:
        known = [date for date in deliveries if date <= day]
        for key, account, has_loan in _with_customers(deliveries[max(known)]) if known else ():
            share = NOTHING
            if account.account_type == "Savings":
                share = _annual_interest(account, has_loan, day, rates)
            interest[account.customer_id, account.account_type, key] += Fraction(share) / 365
        day += ONE_DAY
    there = {
        (account.customer_id, account.account_type, key): account.balance
        for key, account, _ in _with_customers(deliveries[last])
    }
    totals: dict[tuple[int, str], tuple[int, Decimal, Decimal]] = {}
    for (customer, kind, key), exact in interest.items():
        count, balance, accrued = totals.get((customer, kind), (0, NOTHING, NOTHING))
        cents = int(exact * 100 + Fraction(1, 2))
        totals[customer, kind] = (
            count + ((customer, kind, key) in there),
            balance + there.get((customer, kind, key), NOTHING),
            accrued + Decimal(cents).scaleb(-2),
        )
    return {(month, *key, last, *total) for key, total in totals.items()}


def _with_customers(delivery: Outcome) -> Iterator[tuple[str, Account, str]]:
    for key, account in delivery.accounts.items():
        has_loan = _loan(delivery, account)
        if has_loan is not None:
            yield key, account, has_loan
