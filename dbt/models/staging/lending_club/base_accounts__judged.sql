{{ config(
    materialized='table' if target.type == 'duckdb' else 'ephemeral',
    pre_hook=["{{ store_plainly() }}", "{{ join_as_written() }}"],
    post_hook=["{{ store_plainly(false) }}", "{{ join_as_written(false) }}"],
) }}

with

{{ records_to_judge(
    parsed_accounts,
    source('lending_club', 'accounts_raw'),
    keys=['as_of_date', 'account_id'],
    has_key="account_id != ''",
    is_plain=are_plain_accounts(),
    plainly=plain_accounts(),
    key='account_id',
) }},

settled as (
    select
        as_of_date,
        record_number,
        row_number() over same_key_in_order as place,
        count(*) over same_key as copies,
        count(*) over same_hash > 1 as may_share_key,
        count(customer_id) over same_key = count(*) over same_key
        and count(balance) over same_key = count(*) over same_key
        and count(account_type) over same_key = count(*) over same_key
        and min(customer_id) over same_key = max(customer_id) over same_key
        and min(balance) over same_key = max(balance) over same_key
        and min(account_type) over same_key = max(account_type) over same_key as are_equal
    from candidates
    window
        same_hash as (partition by {{ hash_of(['as_of_date', 'account_id']) }}),
        same_key as (partition by as_of_date, account_id),
        same_key_in_order as (partition by as_of_date, account_id order by record_number)
),

duplicates as (
    select
        as_of_date,
        record_number,
        may_share_key,
        coalesce(are_equal, false) and place > 1 as is_exact_duplicate,
        copies > 1 and not coalesce(are_equal, false) as is_conflicting
    from settled
),

joined as (
    select
        parsed.as_of_date,
        parsed.record_number,
        parsed.account_id,
        parsed.customer_id,
        parsed.balance,
        parsed.account_type,
        parsed.odd_customer_id,
        parsed.balance_reasons,
        parsed.odd_account_type,
        coalesce(duplicates.is_exact_duplicate, false) as is_exact_duplicate,
        coalesce(duplicates.is_conflicting, false) as is_conflicting,
        coalesce(duplicates.may_share_key, false) as may_share_key
    from to_judge as parsed
    left join duplicates
        on
            parsed.record_number = duplicates.record_number
            and parsed.as_of_date = duplicates.as_of_date
)

select
    as_of_date,
    record_number,
    account_id,
    customer_id,
    balance,
    account_type,
    is_exact_duplicate,
    may_share_key,
    case
        when
            account_id != ''
            and customer_id is not null
            and balance is not null
            and account_type is not null
            and not is_conflicting
            then ''
        else concat_ws(
            ';',
            case when account_id = '' then 'account_id_missing' end,
            case
                when account_type is not null then null
                when odd_account_type = '' then 'account_type_missing'
                else 'account_type_unrecognised'
            end,
            balance_reasons,
            case when is_conflicting then 'conflicting_duplicate' end,
            case
                when customer_id is null then {{ customer_id_reason('odd_customer_id') }}
            end
        )
    end as reasons
from joined
