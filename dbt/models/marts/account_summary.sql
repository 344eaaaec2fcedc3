{{ config(
    pre_hook="{{ store_text_plainly() }}",
    post_hook="{{ store_text_plainly(false) }}",
) }}

with

newest_closed_date as (
    select max(as_of_date) as as_of_date
    from {{ ref('delivery_ledger') }}
    where is_closed
),

daily as (
    select * from {{ ref('account_summary_daily') }}
)

select
    daily.customer_id,
    daily.account_id,
    daily.original_balance,
    daily.interest_rate,
    daily.annual_interest,
    daily.new_balance
from daily
where daily.as_of_date = (select newest_closed_date.as_of_date from newest_closed_date)
