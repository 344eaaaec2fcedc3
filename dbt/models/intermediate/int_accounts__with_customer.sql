with

accounts as (
    select * from {{ ref('stg_accounts__cleaned') }}
    where {{ is_of_this_run('as_of_date') }}
),

customers as (
    select * from {{ ref('stg_customers__cleaned') }}
    where {{ is_of_this_run('as_of_date') }}
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
        {{ and_of_same_date('accounts', 'customers') }}
