with

processed_dates as (
    select distinct as_of_date
    from {{ source('lending_club', 'delivered_files') }}
    where {{ is_of_this_run('as_of_date') }}
),

tiers as (
    select * from {{ ref('interest_rate_tiers') }}
),

bonuses as (
    select * from {{ ref('loan_bonus_rates') }}
),

tiers_in_force as (
    select
        processed_dates.as_of_date,
        cast(tiers.lower_bound as decimal(18, 2)) as lower_bound,
        cast(tiers.annual_base_rate as decimal(6, 4)) as annual_base_rate,
        rank() over (
            partition by processed_dates.as_of_date order by tiers.effective_date desc
        ) as age
    from processed_dates
    inner join tiers
        on processed_dates.as_of_date >= tiers.effective_date
),

bonus_in_force as (
    select
        processed_dates.as_of_date,
        cast(bonuses.annual_bonus_rate as decimal(6, 4)) as annual_bonus_rate,
        rank() over (
            partition by processed_dates.as_of_date order by bonuses.effective_date desc
        ) as age
    from processed_dates
    inner join bonuses
        on processed_dates.as_of_date >= bonuses.effective_date
)

select
    tiers_in_force.as_of_date,
    tiers_in_force.lower_bound,
    lead(tiers_in_force.lower_bound) over (
        partition by tiers_in_force.as_of_date order by tiers_in_force.lower_bound
    ) as next_lower_bound,
    tiers_in_force.annual_base_rate,
    bonus_in_force.annual_bonus_rate
from tiers_in_force
inner join bonus_in_force
    on tiers_in_force.as_of_date = bonus_in_force.as_of_date
where tiers_in_force.age = 1 and bonus_in_force.age = 1
