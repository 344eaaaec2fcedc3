with

processed_dates as (
    select distinct as_of_date
    from {{ source('lending_club', 'delivered_files') }}
    where {{ is_of_this_run('as_of_date') }}
),

rates as (
    select * from {{ ref('int_interest_rates__by_period') }}
)

select
    processed_dates.as_of_date,
    rates.lower_bound,
    rates.upper_bound,
    rates.annual_base_rate,
    rates.annual_bonus_rate
from processed_dates
inner join rates
    on
        processed_dates.as_of_date >= rates.valid_from
        and processed_dates.as_of_date < rates.valid_to
