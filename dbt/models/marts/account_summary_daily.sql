{{ config(
    materialized='incremental',
    incremental_strategy='replace_as_of_date',
    on_schema_change='fail',
    pre_hook="{{ store_plainly() }}",
    post_hook="{{ store_plainly(false) }}",
) }}

with

accounts as (
    select * from {{ ref('int_savings_accounts_only') }}
),

rates as (
    select * from {{ ref('int_interest_rates__in_force') }}
),

with_rate as (
    select
        accounts.as_of_date,
        accounts.customer_id,
        accounts.account_id,
        accounts.balance,
        {{ rate_for('accounts.has_loan') }} as interest_rate
    from accounts
    inner join rates
        on
            {{ in_tier('accounts.balance', 'rates') }}
            and accounts.as_of_date = rates.as_of_date
),

with_interest as (
    select
        as_of_date,
        customer_id,
        account_id,
        balance,
        interest_rate,
        {{ interest_on('balance', 'interest_rate') }} as annual_interest
    from with_rate
)

select
    as_of_date,
    customer_id,
    account_id,
    balance as original_balance,
    interest_rate,
    annual_interest,
    cast(balance + annual_interest as decimal(18, 2)) as new_balance
from with_interest
