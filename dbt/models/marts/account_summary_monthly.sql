{{ config(
    materialized='incremental',
    incremental_strategy='replace_month',
    on_schema_change='fail',
    tags=['month_end'],
    pre_hook="{{ store_plainly() }}",
    post_hook="{{ store_plainly(false) }}",
) }}

{%- set ledger, history = ref('delivery_ledger'), ref('account_history') %}
{%- set known = known_periods(
    ledger, history, ref('customer_history'), [ref('interest_rate_tiers'), ref('loan_bonus_rates')]
) %}

{#- A key of fewer columns takes a third less to group. #}

{%- set only = known[0] if known | length == 1 else {} %}

with

{{ ctes_of_periods(ledger, history) }},

{#- Accounts that bear no interest have a rate of zero, so that one join serves all. #}

rates as (
    select
        periods.*,
        true as bears_interest,
        rates.valid_from,
        rates.valid_to,
        rates.lower_bound,
        rates.upper_bound,
        rates.annual_base_rate,
        rates.annual_bonus_rate
    from periods
    inner join {{ ref('int_interest_rates__by_period') }} as rates
        on
            periods.as_of_date >= rates.valid_from
            and periods.month < rates.valid_to
    union all
    select
        periods.*,
        false as bears_interest,
        month as valid_from,
        {{ end_of_time() }} as valid_to,
        cast(0 as decimal(18, 2)) as lower_bound,
        {{ above_every_balance() }} as upper_bound,
        cast(0 as decimal(6, 4)) as annual_base_rate,
        cast(0 as decimal(6, 4)) as annual_bonus_rate
    from periods
),

{#- Interest is rounded once for each account. Nearly all are the same all the time, as is their
    customer, and are rounded by themselves: grouping them by their id would be most of the work. #}

unchanged as (
    select
        month,
        as_of_date,
        customer_id,
        account_type,
        1 as accounts,
        balance,
        {{ annual_cents('balance', 'interest_rate') }}
        * ({{ days_between('first_day', 'as_of_date') }} + 1) as annual_cents_by_day
    from ({{ pieces_of_months(known, 'same', 'same', 'same') }}) as pieces
),

{#- Days on which account, customer and rate are the same, where one of them changed. #}

pieces as (
    {{ pieces_of_months(known, 'other', 'any', 'any') }}
    union all
    {{ pieces_of_months(known, 'same', 'other', 'any') }}
    union all
    {{ pieces_of_months(known, 'same', 'same', 'other') }}
),

{#- Both ends count: interest is due for the day of the delivery, too. #}

with_days as (
    select
        *,
        ends > as_of_date as is_there,
        case
            when ends > as_of_date then {{ days_between('begins', 'as_of_date') }} + 1
            else {{ days_between('begins', 'ends') }}
        end as day_count
    from pieces
),

changed as (
    select
        month,
        as_of_date,
        customer_id,
        account_type,
        count(case when is_there then 1 end) as accounts,
        sum(case when is_there then balance end) as balance,
        cast(
            sum({{ annual_cents('balance', 'interest_rate') }} * day_count) as bigint
        ) as annual_cents_by_day
    from with_days
    group by month, as_of_date, customer_id, account_type, account_id
),

with_cents as (
    select
        *,
        {{ rounded_division('annual_cents_by_day', '365') }} as accrued_cents
    from (
        select * from unchanged
        union all
        select * from changed
    ) as all_accounts
)

select
    -- A keyword, but the name that readers know.
    {{ only.month or 'month' }} as month, -- noqa: RF04
    customer_id,
    account_type,
    {{ only.as_of_date or 'as_of_date' }} as as_of_date,
    cast(sum(accounts) as bigint) as accounts,
    cast(coalesce(sum(balance), 0) as decimal(38, 2)) as balance,
    cast(
        cast(sum(accrued_cents) as decimal(28, 0)) * cast(0.01 as decimal(3, 2)) as decimal(38, 2)
    ) as accrued_interest
from with_cents
group by {{ 'month, as_of_date, ' if not only }}customer_id, account_type
