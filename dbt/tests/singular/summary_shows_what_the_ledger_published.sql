{#- The relation has as many rows and cents as the ledger's stage `published` of the newest delivery that
    may be published. -#}

with

ledger as (
    select * from {{ ref('delivery_ledger') }}
),

published as (
    select
        coalesce(sum(row_count), 0) as row_count,
        coalesce(sum(balance), 0) as balance
    from ledger
    where
        source_file = 'accounts.csv'
        and stage = 'published'
        and as_of_date = (
            select max(publishable.as_of_date)
            from {{ ref('publishable_deliveries') }} as publishable
        )
),

shown as (
    select
        count(*) as row_count,
        coalesce(sum(original_balance), 0) as balance
    from {{ ref('account_summary') }}
)

select
    published.row_count as rows_published,
    shown.row_count as rows_shown,
    published.balance as balance_published,
    shown.balance as balance_shown
from published
cross join shown
where published.row_count != shown.row_count or published.balance != shown.balance
