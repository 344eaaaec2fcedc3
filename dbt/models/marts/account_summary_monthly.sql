{{ config(
    materialized='incremental',
    incremental_strategy='replace_month',
    on_schema_change='fail',
    tags=['month_end'],
) }}

with

months as (
    {{ months_of_this_run() }}
),

closed_dates as (
    select distinct as_of_date from {{ ref('delivery_ledger') }}
    where is_closed
),

last_deliveries as (
    select
        months.month,
        max(closed_dates.as_of_date) as as_of_date
    from months
    inner join closed_dates
        on
            months.month <= closed_dates.as_of_date
            and months.next_month > closed_dates.as_of_date
    group by months.month
),

accounts as (
    select * from {{ ref('account_history') }}
),

customers as (
    select * from {{ ref('customer_history') }}
),

{#- No state of an account begins earlier in the month. #}

earliest as (
    select min(valid_from) as valid_from from accounts
),

first_days as (
    select
        last_deliveries.month,
        greatest(last_deliveries.month, earliest.valid_from) as first_day
    from last_deliveries
    cross join earliest
),

{#- Accounts that bear no interest have a rate of zero, so that one join serves all. #}

rates as (
    select
        last_deliveries.month,
        true as bears_interest,
        rates.valid_from,
        rates.valid_to,
        rates.lower_bound,
        rates.upper_bound,
        rates.annual_base_rate,
        rates.annual_bonus_rate
    from last_deliveries
    inner join {{ ref('int_interest_rates__by_period') }} as rates
        on
            last_deliveries.as_of_date >= rates.valid_from
            and last_deliveries.month < rates.valid_to
    union all
    select
        month,
        false as bears_interest,
        month as valid_from,
        {{ end_of_time() }} as valid_to,
        cast(0 as decimal(18, 2)) as lower_bound,
        {{ above_every_balance() }} as upper_bound,
        cast(0 as decimal(6, 4)) as annual_base_rate,
        cast(0 as decimal(6, 4)) as annual_bonus_rate
    from last_deliveries
),

{#- Days on which account, customer and rate are the same, as far as they lie in the month. #}

pieces as (
    select
        last_deliveries.month,
        last_deliveries.as_of_date,
        customers.customer_id,
        accounts.account_type,
        accounts.account_id,
        accounts.balance,
        {{ rate_for('customers.has_loan') }} as interest_rate,
        greatest(
            last_deliveries.month, accounts.valid_from, customers.valid_from, rates.valid_from
        ) as begins,
        least(accounts.valid_to, customers.valid_to, rates.valid_to) as ends
    from last_deliveries
    inner join accounts
        on
            last_deliveries.as_of_date >= accounts.valid_from
            and last_deliveries.month < accounts.valid_to
    inner join customers
        on
            accounts.customer_id = customers.customer_id
            and accounts.valid_from < customers.valid_to
            and accounts.valid_to > customers.valid_from
            and last_deliveries.as_of_date >= customers.valid_from
            and last_deliveries.month < customers.valid_to
    inner join rates
        on
            last_deliveries.month = rates.month
            and ({{ bears_interest('accounts.account_type') }}) = rates.bears_interest
            and {{ in_tier('accounts.balance', 'rates') }}
            and greatest(accounts.valid_from, customers.valid_from) < rates.valid_to
            and least(accounts.valid_to, customers.valid_to) > rates.valid_from
),

{#- Both ends count: interest is due for the day of the delivery, too. #}

with_days as (
    select
        pieces.*,
        pieces.ends > pieces.as_of_date as is_there,
        pieces.begins = first_days.first_day and pieces.ends > pieces.as_of_date as is_whole,
        case
            when pieces.ends > pieces.as_of_date
                then {{ days_between('pieces.begins', 'pieces.as_of_date') }} + 1
            else {{ days_between('pieces.begins', 'pieces.ends') }}
        end as day_count
    from pieces
    inner join first_days
        on pieces.month = first_days.month
),

with_cents as (
    select
        *,
        cast({{ interest_on('balance', 'interest_rate') }} * 100 as bigint) * day_count
            as annual_cents_by_day
    from with_days
),

{#- Interest is rounded once for each account. One that was the same all the time has one piece,
    which is rounded by itself: grouping by its id, as for the others, would be most of the work. #}

by_account as (
    select
        month,
        as_of_date,
        customer_id,
        account_type,
        case when not is_whole then account_id end as changed_account_id,
        count(case when is_there then 1 end) as accounts,
        sum(case when is_there then balance end) as balance,
        sum(
            case
                when is_whole
                    then cast(
                        {{ rounded_division('annual_cents_by_day', '365') }} as decimal(18, 0)
                    )
            end
        ) as whole_cents,
        cast(sum(case when not is_whole then annual_cents_by_day end) as bigint)
            as annual_cents_by_day
    from with_cents
    group by
        month,
        as_of_date,
        customer_id,
        account_type,
        case when not is_whole then account_id end
),

with_interest as (
    select
        *,
        cast(
            coalesce(
                whole_cents,
                cast({{ rounded_division('annual_cents_by_day', '365') }} as decimal(18, 0))
            ) as decimal(28, 0)
        ) * cast(0.01 as decimal(3, 2)) as accrued_interest
    from by_account
)

select
    month,
    customer_id,
    account_type,
    as_of_date,
    cast(sum(accounts) as bigint) as accounts,
    cast(coalesce(sum(balance), 0) as decimal(38, 2)) as balance,
    cast(sum(accrued_interest) as decimal(38, 2)) as accrued_interest
from with_interest
group by month, customer_id, account_type, as_of_date
