with

accounts as (
    select * from {{ ref('base_accounts') }}
    where {{ is_of_this_run('as_of_date') }}
),

cleaned_customers as (
    select * from {{ ref('stg_customers__cleaned') }}
    where {{ is_of_this_run('as_of_date') }}
),

quarantined_customers as (
    select distinct
        as_of_date,
        customer_id
    from {{ ref('base_customers') }}
    where reasons != '' and customer_id is not null
),

unmatched as (
    select accounts.*
    from accounts
    left join cleaned_customers
        on
            accounts.customer_id = cleaned_customers.customer_id
            {{ and_of_same_date('accounts', 'cleaned_customers') }}
    where
        not accounts.is_exact_duplicate
        and accounts.customer_id is not null
        and cleaned_customers.customer_id is null
)

select
    unmatched.as_of_date,
    unmatched.record_number,
    case
        when quarantined_customers.customer_id is null then 'customer_not_found'
        else 'customer_quarantined'
    end as reason
from unmatched
left join quarantined_customers
    on
        unmatched.customer_id = quarantined_customers.customer_id
        and unmatched.as_of_date = quarantined_customers.as_of_date
