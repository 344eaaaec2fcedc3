{#- By rate, for the deliveries of this run: the rate is in force, old balances and interest come to
    the new balances, and the interest is that of the balances but for what rounding may add: half a
    cent for each account. -#}
{% test interest_adds_up(model) %}

with

rates_in_force as (
    select annual_base_rate as interest_rate from {{ ref('int_interest_rates__in_force') }}
    union
    select annual_base_rate + annual_bonus_rate as interest_rate
    from {{ ref('int_interest_rates__in_force') }}
),

totals as (
    select
        interest_rate,
        count(*) as accounts,
        cast(sum(original_balance) as decimal(28, 2)) as original_balance,
        cast(sum(annual_interest) as decimal(28, 2)) as annual_interest,
        cast(sum(new_balance) as decimal(28, 2)) as new_balance
    from {{ model }}
    where {{ is_of_this_run('as_of_date') }}
    group by interest_rate
)

select *
from totals
where
    interest_rate not in (select rates_in_force.interest_rate from rates_in_force)
    or original_balance + annual_interest != new_balance
    or abs(annual_interest - original_balance * interest_rate) > accounts * 0.005

{% endtest %}
