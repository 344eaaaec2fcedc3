with

tiers as (
    select * from {{ ref('interest_rate_tiers') }}
),

bonuses as (
    select * from {{ ref('loan_bonus_rates') }}
),

effective_dates as (
    select effective_date as valid_from from tiers
    union distinct
    select effective_date as valid_from from bonuses
),

periods as (
    select
        valid_from,
        coalesce(lead(valid_from) over (order by valid_from), {{ end_of_time() }}) as valid_to
    from effective_dates
),

tiers_in_force as (
    select
        periods.valid_from,
        periods.valid_to,
        tiers.effective_date,
        cast(tiers.lower_bound as decimal(18, 2)) as lower_bound,
        cast(tiers.annual_base_rate as decimal(6, 4)) as annual_base_rate,
        rank() over (
            partition by periods.valid_from order by tiers.effective_date desc
        ) as age
    from periods
    inner join tiers
        on periods.valid_from >= tiers.effective_date
),

bonus_in_force as (
    select
        periods.valid_from,
        cast(bonuses.annual_bonus_rate as decimal(6, 4)) as annual_bonus_rate,
        rank() over (
            partition by periods.valid_from order by bonuses.effective_date desc
        ) as age
    from periods
    inner join bonuses
        on periods.valid_from >= bonuses.effective_date
)

select
    tiers_in_force.valid_from,
    tiers_in_force.valid_to,
    tiers_in_force.effective_date,
    tiers_in_force.lower_bound,
    coalesce(
        lead(tiers_in_force.lower_bound) over (
            partition by tiers_in_force.valid_from order by tiers_in_force.lower_bound
        ),
        {{ above_every_balance() }}
    ) as upper_bound,
    tiers_in_force.annual_base_rate,
    bonus_in_force.annual_bonus_rate
from tiers_in_force
inner join bonus_in_force
    on tiers_in_force.valid_from = bonus_in_force.valid_from
where tiers_in_force.age = 1 and bonus_in_force.age = 1
