with

tiers as (
    select
        as_of_date,
        sum(original_balance) as balance,
        sum(annual_interest) as interest,
        sum(accounts) as accounts
    from {{ ref('account_summary_by_tier') }}
    group by as_of_date
),

ledger as (
    select
        ledger.as_of_date,
        sum(case when stages.is_excluded then ledger.row_count else 0 end) as quarantined,
        min(case when ledger.is_closed then 1 else 0 end) as is_closed
    from {{ ref('delivery_ledger') }} as ledger
    inner join {{ ref('ledger_stages') }} as stages
        on
            ledger.source_file = stages.source_file
            and ledger.stage = stages.stage
    group by ledger.as_of_date
)

select
    ledger.as_of_date,
    cast(tiers.balance as decimal(38, 2)) as balance,
    cast(tiers.interest as decimal(38, 2)) as interest,
    cast(tiers.accounts as decimal(38, 2)) as accounts,
    cast(ledger.quarantined as decimal(38, 2)) as quarantined
from ledger
inner join tiers
    on ledger.as_of_date = tiers.as_of_date
where ledger.is_closed = 1
