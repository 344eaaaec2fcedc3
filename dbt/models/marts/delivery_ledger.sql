{{ config(
    materialized='incremental',
    incremental_strategy='replace_as_of_date',
    on_schema_change='fail',
) }}

with

delivered_files as (
    select * from {{ source('lending_club', 'delivered_files') }}
    where {{ is_of_this_run('as_of_date') }}
),

quarantined_records as (
    select * from {{ ref('quarantined_records') }}
    where {{ is_of_this_run('as_of_date') }}
),

published as (
    select * from {{ ref('account_summary_daily') }}
    where {{ is_of_this_run('as_of_date') }}
),

{#- One pass over each large relation; the rest adds up a handful of rows. #}

landed as (
    select
        as_of_date,
        'Customer.csv' as source_file,
        is_exact_duplicate,
        count(*) as row_count,
        cast(null as decimal(38, 2)) as balance,
        cast(null as bigint) as balance_unknown
    from {{ judged_or_plain(
        'base_customers', 'base_customers__judged', are_plain_customers('customer_id')
    ) }}
    group by as_of_date, is_exact_duplicate
    union all
    select
        as_of_date,
        'accounts.csv' as source_file,
        is_exact_duplicate,
        count(*) as row_count,
        coalesce(sum(balance), 0) as balance,
        count(*) - count(balance) as balance_unknown
    from {{ judged_or_plain(
        'base_accounts', 'base_accounts__judged', are_plain_accounts('customer_id', 'balance')
    ) }}
    group by as_of_date, is_exact_duplicate
),

joined as (
    select
        as_of_date,
        account_type,
        count(*) as row_count,
        sum(balance) as balance
    from {{ ref('int_accounts__with_customer') }}
    group by as_of_date, account_type
),

counted as (
    select
        as_of_date,
        source_file,
        'landed' as stage,
        row_count,
        balance,
        balance_unknown
    from landed
    union all
    select
        as_of_date,
        source_file,
        'exact_duplicate' as stage,
        row_count,
        balance,
        balance_unknown
    from landed
    where is_exact_duplicate
    union all
    select
        as_of_date,
        source_file,
        case
            when stage = 'rejected' then 'rejected'
            when stage = 'staging' then 'quarantined_staging'
            else 'quarantined_join'
        end as stage,
        1 as row_count,
        case when source_file = 'accounts.csv' then coalesce(balance, 0) end as balance,
        case
            when source_file = 'accounts.csv' then case when balance is null then 1 else 0 end
        end as balance_unknown
    from quarantined_records
    union all
    select
        as_of_date,
        'Customer.csv' as source_file,
        'cleaned' as stage,
        count(*) as row_count,
        null as balance,
        null as balance_unknown
    from {{ ref('stg_customers__cleaned') }}
    group by as_of_date
    union all
    select
        as_of_date,
        'accounts.csv' as source_file,
        'cleaned' as stage,
        count(*) as row_count,
        coalesce(sum(balance), 0) as balance,
        0 as balance_unknown
    from {{ ref('stg_accounts__cleaned') }}
    group by as_of_date
    union all
    select
        as_of_date,
        'accounts.csv' as source_file,
        'joined' as stage,
        row_count,
        balance,
        0 as balance_unknown
    from joined
    union all
    select
        as_of_date,
        'accounts.csv' as source_file,
        'not_savings' as stage,
        row_count,
        balance,
        0 as balance_unknown
    from joined
    where not ({{ bears_interest('account_type') }})
    union all
    select
        as_of_date,
        'accounts.csv' as source_file,
        'published' as stage,
        count(*) as row_count,
        coalesce(sum(original_balance), 0) as balance,
        0 as balance_unknown
    from published
    group by as_of_date
),

totals as (
    select
        as_of_date,
        source_file,
        stage,
        sum(row_count) as row_count,
        sum(balance) as balance,
        sum(balance_unknown) as balance_unknown
    from counted
    group by as_of_date, source_file, stage
),

stages as (
    select
        *,
        source_file = 'accounts.csv' as has_balance
    from {{ ref('ledger_stages') }}
),

{#- A delivery of which all records were rejected has landed nothing: its landed balance is zero,
    and what was delivered is known from the files, apart from what was landed. #}

lines as (
    select
        delivered_files.as_of_date,
        delivered_files.source_file,
        stages.stage,
        case
            when stages.stage = 'records'
                then delivered_files.landed_records + delivered_files.rejected_records
            else coalesce(totals.row_count, 0)
        end as row_count,
        case
            when not stages.has_balance then null
            when stages.stage = 'records' then coalesce(landed_totals.balance, 0)
            else coalesce(totals.balance, 0)
        end as balance,
        case
            when not stages.has_balance then null
            when stages.stage = 'records'
                then coalesce(landed_totals.balance_unknown, 0) + delivered_files.rejected_records
            else coalesce(totals.balance_unknown, 0)
        end as balance_unknown
    from delivered_files
    inner join stages
        on delivered_files.source_file = stages.source_file
    left join totals
        on
            delivered_files.as_of_date = totals.as_of_date
            and delivered_files.source_file = totals.source_file
            and stages.stage = totals.stage
    left join totals as landed_totals
        on
            delivered_files.as_of_date = landed_totals.as_of_date
            and delivered_files.source_file = landed_totals.source_file
            and landed_totals.stage = 'landed'
),

equations as (
    {{ ledger_equations('stages') }}
),

{#- Window functions read the lines once; a join of each equation with its parts would compute them
    anew where an engine does not keep them (Spark). #}

by_equation as (
    select
        lines.*,
        sum(equations.sign * lines.row_count) over same_equation = 0
        and coalesce(sum(equations.sign * lines.balance) over same_equation, 0) = 0
        and coalesce(sum(equations.sign * lines.balance_unknown) over same_equation, 0) = 0 as holds
    from lines
    inner join equations
        on
            lines.source_file = equations.source_file
            and lines.stage = equations.stage
    window
        same_equation as (partition by lines.as_of_date, lines.source_file, equations.whole)
),

by_date as (
    select
        *,
        min(case when holds then 1 else 0 end) over (partition by as_of_date) = 1 as is_closed
    from by_equation
)

select distinct
    as_of_date,
    source_file,
    stage,
    cast(row_count as bigint) as row_count,
    cast(balance as decimal(38, 2)) as balance,
    cast(balance_unknown as bigint) as balance_unknown,
    is_closed
from by_date
