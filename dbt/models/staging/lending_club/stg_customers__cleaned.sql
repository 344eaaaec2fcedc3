with

base as (
    select * from {{ ref('base_customers') }}
)

select
    as_of_date,
    record_number,
    customer_id,
    name,
    has_loan
from base
where reasons = '' and not is_exact_duplicate
