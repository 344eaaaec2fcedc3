with

accounts as (
    select * from {{ ref('int_accounts__with_customer') }}
)

select
    as_of_date,
    record_number,
    account_id,
    customer_id,
    balance,
    has_loan
from accounts
where {{ bears_interest('account_type') }}
