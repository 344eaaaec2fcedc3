{{ config(materialized='view') }}

with

accounts as (
    select * from {{ ref('account_summary_daily') }}
),

rates as (
    select * from {{ ref('int_interest_rates__by_period') }}
)

select
    accounts.as_of_date,
    accounts.account_id,
    accounts.original_balance,
    rates.lower_bound,
    nullif(rates.upper_bound, {{ above_every_balance() }}) as next_lower_bound,
    rates.annual_base_rate,
    rates.effective_date,
    cast(accounts.interest_rate - rates.annual_base_rate as decimal(6, 4)) as annual_bonus_rate,
    accounts.interest_rate,
    accounts.annual_interest,
    accounts.new_balance
from accounts
inner join rates
    on
        {{ in_tier('accounts.original_balance', 'rates') }}
        and accounts.as_of_date >= rates.valid_from
        and accounts.as_of_date < rates.valid_to
