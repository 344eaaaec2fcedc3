{{ config(
    materialized='incremental',
    incremental_strategy='replace_as_of_date',
    on_schema_change='fail',
) }}

with

accounts as (
    select * from {{ ref('account_summary_daily') }}
    where {{ is_of_this_run('as_of_date') }}
),

rates as (
    select * from {{ ref('int_interest_rates__in_force') }}
),

{#- The rate alone does not tell the tier: a lower tier with the bonus may pay what a higher one
    pays without it. #}

totals as (
    select
        rates.as_of_date,
        rates.lower_bound,
        accounts.interest_rate != rates.annual_base_rate as with_loan_bonus,
        count(*) as accounts,
        sum(accounts.original_balance) as original_balance,
        sum(accounts.annual_interest) as annual_interest,
        sum(accounts.new_balance) as new_balance
    from accounts
    inner join rates
        on
            {{ in_tier('accounts.original_balance', 'rates') }}
            and accounts.as_of_date = rates.as_of_date
    group by
        rates.as_of_date,
        rates.lower_bound,
        accounts.interest_rate != rates.annual_base_rate
),

tiers as (
    select
        rates.*,
        false as with_loan_bonus,
        {{ rate_for("'No'") }} as interest_rate
    from rates
    union all
    select
        rates.*,
        true as with_loan_bonus,
        {{ rate_for("'Yes'") }} as interest_rate
    from rates
)

select
    tiers.as_of_date,
    tiers.lower_bound,
    nullif(tiers.upper_bound, {{ above_every_balance() }}) as next_lower_bound,
    tiers.annual_base_rate,
    tiers.with_loan_bonus,
    tiers.interest_rate,
    coalesce(totals.accounts, 0) as accounts,
    cast(coalesce(totals.original_balance, 0) as decimal(38, 2)) as original_balance,
    cast(coalesce(totals.annual_interest, 0) as decimal(38, 2)) as annual_interest,
    cast(coalesce(totals.new_balance, 0) as decimal(38, 2)) as new_balance
from tiers
left join totals
    on
        tiers.as_of_date = totals.as_of_date
        and tiers.lower_bound = totals.lower_bound
        and tiers.with_loan_bonus = totals.with_loan_bonus
