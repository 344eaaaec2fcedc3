{#- The months of this run show as many accounts and cents as the ledger's stage `joined` in the last
    closed delivery of the month. -#}

with

months as (
    {{ months_of_this_run() }}
),

joined as (
    select
        months.month,
        ledger.as_of_date,
        ledger.row_count,
        ledger.balance,
        rank() over (partition by months.month order by ledger.as_of_date desc) as age
    from months
    inner join {{ ref('delivery_ledger') }} as ledger
        on
            ledger.as_of_date >= months.month
            and ledger.as_of_date < months.next_month
    where ledger.source_file = 'accounts.csv' and ledger.stage = 'joined' and ledger.is_closed
),

shown as (
    select
        month,
        min(as_of_date) as first_date,
        max(as_of_date) as last_date,
        sum(accounts) as accounts,
        sum(balance) as balance
    from {{ ref('account_summary_monthly') }}
    where month in (select months.month from months)
    group by month
)

select
    joined.month,
    joined.row_count as accounts_joined,
    shown.accounts,
    joined.balance as balance_joined,
    shown.balance
from joined
left join shown
    on joined.month = shown.month
where
    joined.age = 1
    and (
        joined.row_count != coalesce(shown.accounts, 0)
        or joined.balance != coalesce(shown.balance, 0)
        or joined.as_of_date != coalesce(shown.first_date, joined.as_of_date)
        or joined.as_of_date != coalesce(shown.last_date, joined.as_of_date)
    )
