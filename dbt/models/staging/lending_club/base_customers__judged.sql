{{ config(
    materialized='table' if target.type == 'duckdb' else 'ephemeral',
    pre_hook=["{{ store_plainly() }}", "{{ join_as_written() }}"],
    post_hook=["{{ store_plainly(false) }}", "{{ join_as_written(false) }}"],
) }}

with

{{ records_to_judge(
    parsed_customers,
    source('lending_club', 'customers_raw'),
    keys=['as_of_date', 'customer_id'],
    has_key="customer_id is not null",
    is_plain=are_plain_customers(),
    plainly=plain_customers(),
    key='customer_number',
) }},

settled as (
    select
        as_of_date,
        record_number,
        row_number() over same_key_in_order as place,
        count(*) over same_key as copies,
        count(*) over same_hash > 1 as may_share_key,
        count(has_loan) over same_key = count(*) over same_key
        and min(has_loan) over same_key = max(has_loan) over same_key
        and count(name) over same_key in (0, count(*) over same_key)
        and coalesce(min(name) over same_key = max(name) over same_key, true) as are_equal
    from candidates
    window
        same_hash as (partition by {{ hash_of(['as_of_date', 'customer_id']) }}),
        same_key as (partition by as_of_date, customer_id),
        same_key_in_order as (partition by as_of_date, customer_id order by record_number)
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
        parsed.customer_id,
        parsed.name,
        parsed.has_loan,
        parsed.odd_customer_id,
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
    customer_id,
    name,
    has_loan,
    is_exact_duplicate,
    may_share_key,
    case
        when customer_id is not null and has_loan is not null and not is_conflicting then ''
        else concat_ws(
            ';',
            case when is_conflicting then 'conflicting_duplicate' end,
            case
                when customer_id is null then {{ customer_id_reason('odd_customer_id') }}
            end,
            case when has_loan is null then 'has_loan_unrecognised' end
        )
    end as reasons
from joined
