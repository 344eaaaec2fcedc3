"""What changed between two processed deliveries, by reason and to the account.

All of it is computed by the engine, from the histories as of both dates and from the marts in which
each rule stands: interest and rate come from `account_summary_daily`, tiers from
`account_summary_by_tier`, quarantine from `quarantined_records`.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from lending_club_pipeline.errors import PipelineError
from lending_club_pipeline.outputs.atomic_files import replacing
from lending_club_pipeline.outputs.closing import DeliveryLedger, read_ledger, relations_of
from lending_club_pipeline.warehouse import Warehouse

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
_ZERO: Final = Decimal("0.00")


class NotComparableError(PipelineError):
    """The two dates cannot be compared: one was not processed, or both are the same."""


@dataclass(frozen=True)
class Moved:
    """Accounts that changed for a reason, with their money on both dates."""

    accounts: int
    balance_before: Decimal
    balance_after: Decimal
    interest_before: Decimal
    interest_after: Decimal


@dataclass(frozen=True)
class Differences:
    """What changed from one delivery to another.

    Attributes:
        earlier: the older business date.
        later: the newer one.
        by_reason: accounts by reason; an account counts for each of its reasons.
        total: all accounts that changed, each counted once.
        joined_before: accounts with their customers that the ledger knows of the older date.
        joined_after: those of the newer one.
        balance_before: what they come to, as the ledger says.
        balance_after: the same of the newer date.
        examples: accounts by reason, the largest changes of balance first.
    """

    earlier: dt.date
    later: dt.date
    by_reason: dict[str, Moved]
    total: Moved
    joined_before: int
    joined_after: int
    balance_before: Decimal
    balance_after: Decimal
    examples: dict[str, list[dict[str, Any]]]

    @property
    def adds_up(self) -> bool:
        """Whether the changes make the whole difference between the two ledgers."""
        moved = self.total.balance_after - self.total.balance_before
        return moved == self.balance_after - self.balance_before


def find_differences(
    warehouse: Warehouse, one: dt.date, other: dt.date, limit: int, account_id: str | None = None
) -> Differences:
    """Compare two deliveries.

    Args:
        warehouse: an open warehouse.
        one: a business date.
        other: another one; which is the older does not matter.
        limit: most examples of each reason.
        account_id: look at this account alone.

    Raises:
        NotComparableError: a date was not processed, or both are the same.
    """
    earlier, later = sorted((one, other))
    before, after = _ledgers(warehouse, earlier, later)
    query, parameters = _differences(earlier, later), list[Any]()
    if account_id is not None:
        query = f"select * from ({query}) as differences where account_id = ?"
        parameters = [account_id]
    rows = warehouse.fetch(_summed_by_reason(query), parameters)
    by_reason = {row["reason"]: _moved(row) for row in rows}
    examples: dict[str, list[dict[str, Any]]] = {reason: [] for reason in by_reason}
    for row in warehouse.fetch(_first_of_each(query, limit), parameters):
        examples[row["reason"]].append(row)
    (total,) = warehouse.fetch(_summed(query), parameters)
    return Differences(
        earlier,
        later,
        {reason: by_reason[reason] for reason in REASONS if reason in by_reason},
        _moved(total),
        before.rows("accounts.csv", "joined"),
        after.rows("accounts.csv", "joined"),
        before.entries["accounts.csv", "joined"].balance or _ZERO,
        after.entries["accounts.csv", "joined"].balance or _ZERO,
        examples,
    )


def write_differences(warehouse: Warehouse, one: dt.date, other: dt.date, target: Path) -> int:
    """Write every account that changed as CSV, ordered by account; return their number.

    Raises:
        NotComparableError: a date was not processed, or both are the same.
        OutputError: the file cannot be written; what was there stays.
    """
    earlier, later = sorted((one, other))
    _ledgers(warehouse, earlier, later)
    query = f"select * from ({_differences(earlier, later)}) as differences order by account_id"
    with replacing(target.absolute(), "--csv") as work:
        return warehouse.copy_to_file(query, work, "csv")


def _ledgers(
    warehouse: Warehouse, earlier: dt.date, later: dt.date
) -> tuple[DeliveryLedger, DeliveryLedger]:
    if earlier == later:
        raise NotComparableError(f"{earlier} cannot be compared with itself. Name two dates.")
    is_made = "account_history" in relations_of(warehouse)
    found = [read_ledger(warehouse, it) if is_made else None for it in (earlier, later)]
    for date, ledger in zip((earlier, later), found, strict=True):
        if ledger is None or not ledger.is_closed:
            raise NotComparableError(
                f"The delivery of {date} was not processed. Process it by "
                f"`lending-club run --as-of {date}`."
            )
    before, after = found
    assert before is not None  # noqa: S101 - narrows the type
    assert after is not None  # noqa: S101
    return before, after


def _state(date: dt.date) -> str:
    """Return SQL for the accounts that were joined with their customers on a date."""
    day = f"date '{date.isoformat()}'"
    return f"""
        select
            accounts.account_id,
            accounts.customer_id,
            accounts.account_type,
            accounts.balance,
            customers.has_loan,
            tiers.lower_bound,
            summary.interest_rate,
            summary.annual_interest
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


def _quarantined(date: dt.date) -> str:
    return f"""
        select account_id, min(reasons) as reasons
        from quarantined_records
        where
            as_of_date = date '{date.isoformat()}'
            and source_file = 'accounts.csv'
            and account_id is not null
        group by account_id
    """


_PAIRS: Final = (
    ("balance_changed", "balance"),
    ("loan_flag_changed", "has_loan"),
    ("type_changed", "account_type"),
    ("owner_changed", "customer_id"),
)


def _differences(earlier: dt.date, later: dt.date) -> str:
    """Return SQL for the accounts that differ: reasons, then each field before and after."""
    changed = ",\n".join(
        f"case when is_in_both and {column}_before is distinct from {column}_after "
        f"then '{reason}' end"
        for reason, column in _PAIRS
    )
    fields = ", ".join(
        f"earlier.{it} as {it}_before, later.{it} as {it}_after"
        for it in (
            *("customer_id", "account_type", "has_loan", "lower_bound"),
            *("balance", "interest_rate", "annual_interest"),
        )
    )
    shown = ", ".join(
        f"{it}_before, {it}_after"
        for it in (
            *("customer_id", "account_type", "has_loan"),
            *("balance", "interest_rate", "annual_interest"),
        )
    )
    return f"""
        select account_id, reasons, quarantine_reasons, {shown}
        from (
            select
                *,
                concat_ws(
                    ';',
                    case when is_new and was_quarantined then 'released' end,
                    case when is_new and not was_quarantined then 'opened' end,
                    case when is_gone and is_quarantined then 'quarantined' end,
                    case when is_gone and not is_quarantined then 'closed' end,
                    {changed},
                    case
                        when lower_bound_before != lower_bound_after then 'tier_changed'
                    end,
                    case
                        when
                            is_in_both
                            and interest_rate_before is distinct from interest_rate_after
                            and lower_bound_before is not distinct from lower_bound_after
                            and has_loan_before is not distinct from has_loan_after
                            and account_type_before is not distinct from account_type_after
                            then 'rate_changed'
                    end
                ) as reasons
            from (
                select
                    coalesce(earlier.account_id, later.account_id) as account_id,
                    earlier.account_id is null as is_new,
                    later.account_id is null as is_gone,
                    earlier.account_id is not null and later.account_id is not null as is_in_both,
                    held_before.account_id is not null as was_quarantined,
                    held_after.account_id is not null as is_quarantined,
                    case when later.account_id is null then held_after.reasons end
                        as quarantine_reasons,
                    {fields}
                from ({_state(earlier)}) as earlier
                full outer join ({_state(later)}) as later
                    on earlier.account_id = later.account_id
                left join ({_quarantined(earlier)}) as held_before
                    on coalesce(earlier.account_id, later.account_id) = held_before.account_id
                left join ({_quarantined(later)}) as held_after
                    on coalesce(earlier.account_id, later.account_id) = held_after.account_id
            ) as both_dates
        ) as judged
        where reasons != ''
    """


_SUMS: Final = ", ".join(
    [
        "count(*) as accounts",
        *(
            f"coalesce(sum({column}_{side}), 0) as {name}_{side}"
            for column, name in (("balance", "balance"), ("annual_interest", "interest"))
            for side in ("before", "after")
        ),
    ]
)


def _summed(query: str) -> str:
    return f"select {_SUMS} from ({query}) as summed"


def _by_reason(query: str) -> str:
    """Return SQL with a row for each account and each of its reasons."""
    reasons = " union all ".join(f"select '{reason}' as reason" for reason in REASONS)
    return (
        f"select reasoned.reason, differences.* from ({reasons}) as reasoned "
        f"inner join ({query}) as differences "
        "on concat(';', differences.reasons, ';') like concat('%;', reasoned.reason, ';%')"
    )


def _summed_by_reason(query: str) -> str:
    """Return SQL that counts an account for each of its reasons."""
    return f"select reason, {_SUMS} from ({_by_reason(query)}) as by_reason group by reason"


def _first_of_each(query: str, limit: int) -> str:
    return (
        "select * from (select *, row_number() over (partition by reason order by "
        "abs(coalesce(balance_after, 0) - coalesce(balance_before, 0)) desc, account_id) as place "
        f"from ({_by_reason(query)}) as by_reason) as in_order "
        f"where place <= {limit:d} order by reason, place"
    )


def _moved(row: dict[str, Any]) -> Moved:
    return Moved(
        row["accounts"],
        *(
            Decimal(row[f"{name}_{side}"]).quantize(_ZERO)
            for name in ("balance", "interest")
            for side in ("before", "after")
        ),
    )
