with

accounts as (
    select * from {{ ref('stg_accounts__cleaned') }}
),

customers as (
    select * from {{ ref('stg_customers__cleaned') }}
)

select
    accounts.as_of_date,
    accounts.record_number,
    accounts.account_id,
    accounts.customer_id,
    accounts.account_type,
    accounts.balance,
    customers.has_loan
from accounts
inner join customers
    on
        accounts.customer_id = customers.customer_id
        and accounts.as_of_date = customers.as_of_date
