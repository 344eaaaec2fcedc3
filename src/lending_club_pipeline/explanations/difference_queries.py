"""SQL for what changed between two processed deliveries, which both engines understand.

It reads the histories as of both dates, and the marts in which each rule stands: interest and rate
come from `account_summary_daily`, tiers from `account_summary_by_tier`, quarantine from
`quarantined_records`.
"""

import datetime as dt
from typing import Final

# In the order in which they are told. The first four exclude all others.
REASONS: Final = {
    "opened": "is new",
    "closed": "is no longer delivered",
    "quarantined": "was accepted, and is in quarantine now",
    "released": "was in quarantine, and is accepted now",
    "balance_changed": "has another balance",
    "loan_flag_changed": "has a customer with another loan flag",
    "tier_changed": "lies in another tier",
    "rate_changed": "bears another rate in the same tier with the same loan flag",
    "type_changed": "has another account type",
    "owner_changed": "belongs to another customer",
}


_FIELDS: Final = (
    *("customer_id", "account_type", "has_loan"),
    *("balance", "interest_rate", "annual_interest"),
)
_SIDES: Final = ("before", "after")
_SHOWN: Final = tuple(f"{it}_{side}" for it in _FIELDS for side in _SIDES)


def state(date: dt.date, side: str) -> str:
    """Return SQL for the accounts that were joined with their customers on a date.

    Args:
        date: the business date.
        side: what the names of its columns end with.
    """
    day = f"date '{date.isoformat()}'"
    return f"""
        select
            accounts.account_id,
            accounts.customer_id as customer_id_{side},
            accounts.account_type as account_type_{side},
            accounts.balance as balance_{side},
            customers.has_loan as has_loan_{side},
            tiers.lower_bound as lower_bound_{side},
            summary.interest_rate as interest_rate_{side},
            summary.annual_interest as annual_interest_{side}
        from account_history as accounts
        inner join customer_history as customers
            on accounts.customer_id = customers.customer_id
        left join (
            select distinct lower_bound, next_lower_bound
            from account_summary_by_tier
            where as_of_date = {day}
        ) as tiers
            on
                accounts.account_type = 'Savings'
                and accounts.balance >= tiers.lower_bound
                and (tiers.next_lower_bound is null or accounts.balance < tiers.next_lower_bound)
        left join (
            select account_id, interest_rate, annual_interest
            from account_summary_daily
            where as_of_date = {day}
        ) as summary
            on accounts.account_id = summary.account_id
        where
            accounts.valid_from <= {day}
            and accounts.valid_to > {day}
            and customers.valid_from <= {day}
            and customers.valid_to > {day}
    """


def quarantined(date: dt.date) -> str:
    """Return SQL for the accounts that were in quarantine on a date, with reasons."""
    return f"""
        select account_id, min(reasons) as reasons
        from quarantined_records
        where
            as_of_date = date '{date.isoformat()}'
            and source_file = 'accounts.csv'
            and account_id is not null
        group by account_id
    """


_IS_NEW: Final = "earlier.account_id is null"
_IS_GONE: Final = "later.account_id is null"
_IS_IN_BOTH: Final = "earlier.account_id is not null and later.account_id is not null"
_IS_IN_SAME_TIER: Final = " and ".join(
    f"{it}_before is not distinct from {it}_after"
    for it in ("lower_bound", "has_loan", "account_type")
)
# Each says by itself when it holds, so that none has to be named before another.
_CONDITIONS: Final = {
    "released": f"{_IS_NEW} and held_before.account_id is not null",
    "opened": f"{_IS_NEW} and held_before.account_id is null",
    "quarantined": f"{_IS_GONE} and held_after.account_id is not null",
    "closed": f"{_IS_GONE} and held_after.account_id is null",
    **{
        reason: f"{_IS_IN_BOTH} and {it}_before is distinct from {it}_after"
        for reason, it in (
            ("balance_changed", "balance"),
            ("loan_flag_changed", "has_loan"),
            ("type_changed", "account_type"),
            ("owner_changed", "customer_id"),
        )
    },
    "tier_changed": "lower_bound_before != lower_bound_after",
    "rate_changed": (
        f"{_IS_IN_BOTH} and interest_rate_before is distinct from interest_rate_after "
        f"and {_IS_IN_SAME_TIER}"
    ),
}


def differences(earlier: dt.date, later: dt.date) -> str:
    """Return SQL for the accounts that differ: reasons, then each field before and after.

    Reasons are one expression over the columns as the joins give them. Were these renamed in
    between, or its parts named, Spark's optimizer would infer a constraint for each way to write
    it: thousands of them, until its memory ends.
    """
    reasons = ",\n".join(
        f"case when {condition} then '{reason}' end" for reason, condition in _CONDITIONS.items()
    )
    return f"""
        select account_id, reasons, quarantine_reasons, {", ".join(_SHOWN)}
        from (
            select
                coalesce(earlier.account_id, later.account_id) as account_id,
                concat_ws(';', {reasons}) as reasons,
                case when {_IS_GONE} then held_after.reasons end as quarantine_reasons,
                {", ".join(_SHOWN)}
            from ({state(earlier, "before")}) as earlier
            full outer join ({state(later, "after")}) as later
                on earlier.account_id = later.account_id
            left join ({quarantined(earlier)}) as held_before
                on coalesce(earlier.account_id, later.account_id) = held_before.account_id
            left join ({quarantined(later)}) as held_after
                on coalesce(earlier.account_id, later.account_id) = held_after.account_id
        ) as judged
        where reasons != ''
    """


SUMMED: Final = ("balance_before", "balance_after", "interest_before", "interest_after")
_SUMS: Final = ", ".join(
    [
        "count(*) as accounts",
        *(
            f"coalesce(sum({it.replace('interest', 'annual_interest')}), 0) as {it}"
            for it in SUMMED
        ),
    ]
)


def summed_with_first(query: str, limit: int) -> str:
    """Return SQL with the sums of each set of reasons, beside its first accounts.

    One statement, so that the deliveries are compared once. Sets of reasons exclude each other.
    """
    size = "abs(coalesce(balance_after, 0) - coalesce(balance_before, 0))"
    return f"""
        with differences as ({query}),
        sums as (
            select reasons as reason_set, {_SUMS}
            from differences
            group by reasons
        ),
        in_order as (
            select
                *,
                row_number() over (partition by reasons order by {size} desc, account_id) as place
            from differences
        )
        select
            sums.reason_set as reasons,
            sums.accounts,
            {", ".join(f"sums.{name} as sum_of_{name}" for name in SUMMED)},
            in_order.account_id,
            in_order.quarantine_reasons,
            {", ".join(f"in_order.{it}" for it in _SHOWN)}
        from sums
        left join in_order
            on sums.reason_set = in_order.reasons and in_order.place <= {limit:d}
    """
