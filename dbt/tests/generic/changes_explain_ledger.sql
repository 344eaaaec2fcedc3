{#- From the delivery before to this one, accounts opened and closed, and what balances changed by,
    make the difference of what the ledger says was cleaned, in accounts and cents. -#}
{% test changes_explain_ledger(model) %}

with

cleaned as (
    select
        as_of_date,
        row_count,
        balance
    from {{ ref('delivery_ledger') }}
    where source_file = 'accounts.csv' and stage = 'cleaned' and is_closed
),

explained as (
    select
        as_of_date,
        previous_date,
        sum(case change_kind when 'opened' then accounts when 'closed' then -accounts else 0 end)
            as accounts,
        sum(
            case
                when change_kind in ('opened', 'closed', 'balance_changed')
                    then balance_after - balance_before
                else 0
            end
        ) as balance
    from {{ model }}
    where {{ is_of_this_run('as_of_date') }} or {{ is_of_this_run('previous_date') }}
    group by as_of_date, previous_date
)

select
    explained.*,
    later.row_count - earlier.row_count as accounts_in_ledger,
    later.balance - earlier.balance as balance_in_ledger
from explained
inner join cleaned as earlier
    on explained.previous_date = earlier.as_of_date
inner join cleaned as later
    on explained.as_of_date = later.as_of_date
where
    explained.accounts != later.row_count - earlier.row_count
    or explained.balance != later.balance - earlier.balance

{% endtest %}
