{#- On each date of this run exactly one rate applies to every balance: tiers begin at zero, no lower
    bound appears twice, and a rate is in force. Rates are fractions: 1.5 % is 0.0150. -#}

with

in_force as (
    {{ in_force(ref('interest_rate_tiers')) }}
)

select
    as_of_date,
    'no tier is in force' as problem
from ({{ dates_of_this_run() }}) as dates
where as_of_date not in (select in_force.as_of_date from in_force)
union all
select
    as_of_date,
    'balances below the lowest tier have no rate' as problem
from in_force
group by as_of_date
having min(lower_bound) != 0
union all
select
    as_of_date,
    'two tiers begin at the same balance' as problem
from in_force
group by as_of_date, lower_bound
having count(*) > 1
union all
select
    as_of_date,
    'a rate is no fraction below 1 with at most four decimals' as problem
from in_force
where
    annual_base_rate < 0
    or annual_base_rate >= 1
    or annual_base_rate != round(annual_base_rate, 4)
union all
select
    as_of_date,
    'a tier begins at a fraction of a cent' as problem
from in_force
where lower_bound != round(lower_bound, 2)
