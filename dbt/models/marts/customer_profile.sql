{{ config(materialized='view') }}

with

closed_dates as (
    select distinct as_of_date from {{ ref('delivery_ledger') }}
    where is_closed
),

newest_closed_date as (
    select max(as_of_date) as as_of_date from closed_dates
),

customers as (
    select
        customer_id,
        max_by(has_loan, valid_from) as has_loan,
        min(valid_from) as first_seen,
        max(valid_to) as valid_to
    from {{ ref('customer_history') }}
    group by customer_id
),

accounts as (
    select
        customer_id,
        count(case when account_type = 'Savings' then 1 end) as savings_accounts,
        sum(case when account_type = 'Savings' then balance end) as savings_balance,
        count(case when account_type = 'Checking' then 1 end) as checking_accounts,
        sum(case when account_type = 'Checking' then balance end) as checking_balance
    from {{ ref('account_history') }}
    where is_current
    group by customer_id
),

interest as (
    select
        customer_id,
        sum(annual_interest) as annual_interest
    from {{ ref('account_summary') }}
    group by customer_id
),

quarantined as (
    select
        customer_id,
        count(*) as records
    from {{ ref('quarantined_records') }}
    where
        source_file = 'accounts.csv'
        and customer_id is not null
        and as_of_date = (select newest_closed_date.as_of_date from newest_closed_date)
    group by customer_id
),

{#- A state that ended was last delivered on the known day before. #}

last_dates as (
    select
        ends.valid_to,
        max(closed_dates.as_of_date) as last_seen
    from (select distinct customers.valid_to from customers) as ends
    inner join closed_dates
        on ends.valid_to > closed_dates.as_of_date
    group by ends.valid_to
),

joined as (
    select
        customers.customer_id,
        customers.valid_to = {{ end_of_time() }} as is_current,
        customers.has_loan,
        coalesce(accounts.savings_accounts, 0) as savings_accounts,
        coalesce(accounts.savings_balance, 0) as savings_balance,
        coalesce(accounts.checking_accounts, 0) as checking_accounts,
        coalesce(accounts.checking_balance, 0) as checking_balance,
        coalesce(interest.annual_interest, 0) as annual_interest,
        coalesce(quarantined.records, 0) as quarantined_records,
        customers.first_seen,
        last_dates.last_seen
    from customers
    inner join last_dates
        on customers.valid_to = last_dates.valid_to
    left join accounts
        on
            customers.customer_id = accounts.customer_id
            and customers.valid_to = {{ end_of_time() }}
    left join interest
        on customers.customer_id = interest.customer_id
    left join quarantined
        on customers.customer_id = quarantined.customer_id
),

with_records as (
    select
        *,
        savings_accounts + checking_accounts + quarantined_records as records
    from joined
)

select
    customer_id,
    is_current,
    has_loan,
    savings_accounts,
    cast(savings_balance as decimal(38, 2)) as savings_balance,
    checking_accounts,
    cast(checking_balance as decimal(38, 2)) as checking_balance,
    cast(annual_interest as decimal(38, 2)) as annual_interest,
    case
        when records > 0
            then cast(
                cast(
                    {{ rounded_division('10000 * quarantined_records', 'records') }}
                    as decimal(12, 0)
                ) * cast(0.0001 as decimal(5, 4)) as decimal(5, 4)
            )
    end as quarantined_share,
    first_seen,
    last_seen
from with_records
