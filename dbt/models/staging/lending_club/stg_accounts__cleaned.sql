with

base as (
    select * from {{ ref('base_accounts') }}
)

select
    as_of_date,
    record_number,
    account_id,
    customer_id,
    balance,
    account_type
from base
where reasons = '' and not is_exact_duplicate
