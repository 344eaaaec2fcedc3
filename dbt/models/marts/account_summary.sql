{{ config(
    pre_hook="{{ store_plainly() }}",
    post_hook="{{ store_plainly(false) }}",
) }}

with

published_date as (
    select max(as_of_date) as as_of_date
    from {{ ref('publishable_deliveries') }}
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
where daily.as_of_date = (select published_date.as_of_date from published_date)
{{ in_output_order('daily.account_id') }}
