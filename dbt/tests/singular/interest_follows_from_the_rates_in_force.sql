{#- By date and rate, for the deliveries of this run: the rate is in force; old balances plus interest are
    the new balances; and the interest differs from balances × rate at most by rounding, half a cent for
    each account. -#}

with

rates_in_force as (
    select
        as_of_date,
        {{ rate_for("'No'") }} as interest_rate
    from {{ ref('int_interest_rates__in_force') }} as rates
    union
    select
        as_of_date,
        {{ rate_for("'Yes'") }} as interest_rate
    from {{ ref('int_interest_rates__in_force') }} as rates
),

totals as (
    select
        as_of_date,
        interest_rate,
        count(*) as accounts,
        cast(sum(original_balance) as decimal(28, 2)) as original_balance,
        cast(sum(annual_interest) as decimal(28, 2)) as annual_interest,
        cast(sum(new_balance) as decimal(28, 2)) as new_balance
    from {{ ref('account_summary_daily') }}
    where {{ is_of_this_run('as_of_date') }}
    group by as_of_date, interest_rate
)

select totals.*
from totals
left join rates_in_force
    on
        totals.as_of_date = rates_in_force.as_of_date
        and totals.interest_rate = rates_in_force.interest_rate
where
    rates_in_force.interest_rate is null
    or totals.original_balance + totals.annual_interest != totals.new_balance
    or abs(totals.annual_interest - totals.original_balance * totals.interest_rate)
    > totals.accounts * 0.005
