{#- The tiers of the account summary add up to the ledger's stage `published`, in accounts and cents, for
    the deliveries of this run. -#}

with

totals as (
    select
        as_of_date,
        sum(accounts) as accounts,
        sum(original_balance) as original_balance,
        sum(annual_interest) as annual_interest,
        sum(new_balance) as new_balance
    from {{ ref('account_summary_by_tier') }}
    where {{ is_of_this_run('as_of_date') }}
    group by as_of_date
),

published as (
    select
        as_of_date,
        row_count,
        balance
    from {{ ref('delivery_ledger') }}
    where
        {{ is_of_this_run('as_of_date') }}
        and source_file = 'accounts.csv'
        and stage = 'published'
)

select
    published.as_of_date,
    published.row_count as accounts_published,
    totals.accounts,
    published.balance as balance_published,
    totals.original_balance,
    totals.annual_interest,
    totals.new_balance
from published
left join totals
    on published.as_of_date = totals.as_of_date
where
    totals.as_of_date is null
    or published.row_count != totals.accounts
    or published.balance != totals.original_balance
    or totals.original_balance + totals.annual_interest != totals.new_balance
