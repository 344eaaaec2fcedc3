"""The records of accounts.csv, as SQL."""

from typing import Final

from lending_club_pipeline.contract.source_files import ACCOUNTS
from lending_club_pipeline.synthetic.dirt import (
    CONFLICTING_DUPLICATE,
    CUSTOMER_NOT_FOUND,
    CUSTOMER_QUARANTINED,
    EXACT_DUPLICATE,
    HAS_LOAN_UNRECOGNISED,
)
from lending_club_pipeline.synthetic.placements import Placement
from lending_club_pipeline.synthetic.populations import Population, account_number
from lending_club_pipeline.synthetic.pseudo_random import draw, log_normal_cents
from lending_club_pipeline.synthetic.records import lines, marked_records

# Beyond the id of any customer.
_NOBODY: Final = 8_000_000_000
_SAVINGS_PERCENT: Final = 60
_THOUSAND_IN_CENTS: Final = 100_000

_MONEY: Final = "cast(cents::decimal(18, 0) * 0.01::decimal(3, 2) as varchar)"
_ID: Final = (
    "'A' || case when number < 1000000000 then right(cast(number + 1000000000 as varchar), 9) "
    "else cast(number as varchar) end"
)
_TYPE: Final = "case when is_savings then 'Savings' else 'Checking' end"
_OTHER_TYPE: Final = "case when is_savings then 'Checking' else 'Savings' end"
_GROUPED: Final = (
    "format('{:,}', cents // 100) || '.' || right(cast(cents % 100 + 100 as varchar), 2)"
)
_UNUSUAL: Final = (
    {"Balance": f"""'"$' || {_GROUPED} || '"'"""},
    {"Balance": f"""'"' || {_GROUPED} || '"'"""},
    {"Balance": f"'$' || {_MONEY}"},
    {"Balance": f"'  ' || {_MONEY} || ' '"},
    {"Balance": f"'000' || {_MONEY}"},
    {"Balance": f"{_MONEY} || '00'"},
    {"Balance": f"rtrim(rtrim({_MONEY}, '0'), '.')"},
    {"Balance": f"case when cents = 0 then '-0.00' else {_MONEY} end"},
    {"AccountType": f"upper({_TYPE})"},
    {"AccountType": f"lower({_TYPE})"},
    {"AccountType": f"' ' || {_TYPE} || chr(160)"},
    {"CustomerID": "'00' || customer_id"},
    {"CustomerID": "chr(9) || customer_id || ' '"},
    {"AccountID": f"' ' || {_ID} || '  '"},
    {"AccountID": f"""'"' || {_ID} || '"'""", "AccountType": f"""' "' || {_TYPE} || '" '"""},
)


def account_lines(
    population: Population, placement: Placement, customers: Placement, first: int, end: int
) -> str:
    """Return SQL for the lines of the records from `first` to before `end`.

    Args:
        population: the population.
        placement: the dirt of accounts.csv.
        customers: the dirt of Customer.csv: a clean account belongs to a clean customer.
        first: the first record, counted from 0.
        end: the record before which to stop.
    """
    quarantined = "'unused'"
    if placement.counts.get(CUSTOMER_QUARANTINED):
        record = customers.some_record(HAS_LOAN_UNRECOGNISED, "customer_draw")
        quarantined = f"cast({population.customer_id(record)} as varchar)"
    return lines(
        ACCOUNTS.name,
        _plain_accounts(population, placement, customers, first, end),
        {
            "AccountID": _ID,
            "CustomerID": "cast(customer_id as varchar)",
            "Balance": _MONEY,
            "AccountType": _TYPE,
        },
        {
            "CustomerID": {
                CUSTOMER_NOT_FOUND: f"cast({_NOBODY} + customer_draw % 1000000 as varchar)",
                CUSTOMER_QUARANTINED: quarantined,
            },
            "Balance": {
                EXACT_DUPLICATE: f"case when turn % 2 = 0 then '' else '$0' end || {_MONEY}",
                CONFLICTING_DUPLICATE: _MONEY.replace("cents", "(cents + 1 - turn % 2)"),
            },
            "AccountType": {
                CONFLICTING_DUPLICATE: f"if(turn % 2 = 0, {_TYPE}, {_OTHER_TYPE})",
            },
        },
        _UNUSUAL,
    )


def _plain_accounts(
    population: Population, placement: Placement, customers: Placement, first: int, end: int
) -> str:
    seed = population.seed
    marked = marked_records(placement, population.unusual, first, end, seed, ACCOUNTS.table)
    replaced = population.account_changes("account_draw")
    numbered = f"""
        select kind, turn, unusual, {account_number(population, "origin", replaced)} as number
        from (select *, {draw("origin", seed, "account")} as account_draw from ({marked}))
    """
    drawn = f"""
        select
            kind, turn, unusual, number,
            {draw("key", seed, "customer")} as customer_draw,
            {draw("key", seed, "balance")} as balance_draw,
            {draw("key", seed, "kind")} as kind_draw
        from (select *, number & 4294967295 as key from ({numbered}))
    """
    return f"""
        select
            kind, turn, unusual, number, customer_draw,
            {population.customer_id(customers.clean_record("chosen", "chosen_stretch"))}
                as customer_id,
            (kind_draw >> 20) % 100 < {_SAVINGS_PERCENT} as is_savings,
            {_cents()} as cents
        from (
            select
                *,
                {customers.stretch("chosen")} as chosen_stretch,
                {log_normal_cents("balance_draw")} as usual_cents,
                {population.balance_changes("kind_draw")} as changes
            from (select *, customer_draw % {population.customers} as chosen from ({drawn}))
        )
    """


def _cents() -> str:
    """Return SQL for a balance: around its usual amount, now and then a round one."""
    now = "(usual_cents * (9000 + (balance_draw + changes * 719) % 2001) // 10000)"
    return (
        f"case when (balance_draw // 2001 + changes * 7) % 25 = 0 "
        f"then {now} // {_THOUSAND_IN_CENTS} * {_THOUSAND_IN_CENTS} else {now} end"
    )
