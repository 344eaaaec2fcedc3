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
        sum(case change when 'opened' then accounts when 'closed' then -accounts else 0 end)
            as accounts,
        sum(
            case
                when change in ('opened', 'closed', 'balance_changed')
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
    after.row_count - before.row_count as accounts_in_ledger,
    after.balance - before.balance as balance_in_ledger
from explained
inner join cleaned as before
    on explained.previous_date = before.as_of_date
inner join cleaned as after
    on explained.as_of_date = after.as_of_date
where
    explained.accounts != after.row_count - before.row_count
    or explained.balance != after.balance - before.balance

{% endtest %}
