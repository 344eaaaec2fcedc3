{#- On the as-of date exactly one rate applies to every balance: tiers begin at zero, no lower
    bound appears twice, and a rate is in force. -#}
{% test tiers_in_force_cover_every_balance(model) %}

with

in_force as (
    select *
    from {{ model }}
    where effective_date = (
        select max(tiers.effective_date) from {{ model }} as tiers
        where tiers.effective_date <= {{ as_of_date() }}
    )
)

select 'no tier is in force' as problem
from (select count(*) as tiers from in_force) as counted
where tiers = 0
union all
select 'balances below the lowest tier have no rate' as problem
from (select min(lower_bound) as lowest from in_force) as bounds
where lowest != 0
union all
select 'two tiers begin at the same balance' as problem
from in_force
group by lower_bound
having count(*) > 1

{% endtest %}

{% test one_rate_in_force(model) %}

select count(*) as rates
from {{ model }}
where effective_date = (
    select max(rates.effective_date) from {{ model }} as rates
    where rates.effective_date <= {{ as_of_date() }}
)
having count(*) != 1

{% endtest %}
