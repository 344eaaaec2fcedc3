{#- Accounts that came and went since the previous delivery, and changes of balances, add up to the
    difference of the ledger's stage `joined`, in accounts and cents. -#}

with

joined as (
    select
        as_of_date,
        row_count,
        balance
    from {{ ref('delivery_ledger') }}
    where source_file = 'accounts.csv' and stage = 'joined' and is_closed
),

explained as (
    select
        as_of_date,
        previous_date,
        sum(
            case
                when change_kind in ('opened', 'released') then accounts
                when change_kind in ('closed', 'quarantined') then -accounts
                else 0
            end
        ) as accounts,
        sum(
            case
                when
                    change_kind in ('opened', 'released', 'closed', 'quarantined', 'balance_changed')
                    then balance_after - balance_before
                else 0
            end
        ) as balance
    from {{ ref('delivery_changes') }}
    where {{ is_of_this_run('as_of_date') }} or {{ is_of_this_run('previous_date') }}
    group by as_of_date, previous_date
)

select
    explained.*,
    later.row_count - earlier.row_count as accounts_in_ledger,
    later.balance - earlier.balance as balance_in_ledger
from explained
inner join joined as earlier
    on explained.previous_date = earlier.as_of_date
inner join joined as later
    on explained.as_of_date = later.as_of_date
where
    explained.accounts != later.row_count - earlier.row_count
    or explained.balance != later.balance - earlier.balance
