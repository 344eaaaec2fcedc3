{#- On each date of this run exactly one loan bonus is in force. Rates are fractions: 0.5 % is 0.0050. -#}

with

in_force as (
    {{ in_force(ref('loan_bonus_rates')) }}
)

select
    dates.as_of_date,
    'no rate or more than one is in force' as problem
from ({{ dates_of_this_run() }}) as dates
left join in_force
    on dates.as_of_date = in_force.as_of_date
group by dates.as_of_date
having count(in_force.as_of_date) != 1
union all
select
    as_of_date,
    'a rate is no fraction below 1 with at most four decimals' as problem
from in_force
where
    annual_bonus_rate < 0
    or annual_bonus_rate >= 1
    or annual_bonus_rate != round(annual_bonus_rate, 4)
