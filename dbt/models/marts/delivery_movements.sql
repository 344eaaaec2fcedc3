{{ config(
    materialized='incremental',
    incremental_strategy='replace_as_of_date',
    on_schema_change='fail',
) }}

with

measured as (
    select * from {{ ref('int_deliveries_measured') }}
),

approvals as (
    select distinct
        as_of_date,
        customers_sha256,
        accounts_sha256
    from {{ source('lending_club', 'delivery_approvals') }}
),

delivered as (
    select
        as_of_date,
        max(case when source_file = 'Customer.csv' then sha256 end) as customers_sha256,
        max(case when source_file = 'accounts.csv' then sha256 end) as accounts_sha256
    from {{ source('lending_club', 'delivered_files') }}
    where {{ is_of_this_run('as_of_date') }}
    group by as_of_date
),

files as (
    select
        delivered.*,
        approvals.as_of_date is not null as is_approved
    from delivered
    left join approvals
        on
            delivered.as_of_date = approvals.as_of_date
            and delivered.customers_sha256 = approvals.customers_sha256
            and delivered.accounts_sha256 = approvals.accounts_sha256
),

held_before as (
    {%- if is_incremental() %}
        select distinct as_of_date
        from {{ this }}
        where is_held and not {{ is_of_this_run('as_of_date') }}
    {%- else %}
        select cast(null as date) as as_of_date
    {%- endif %}
),

known as (
    select
        measured.as_of_date,
        measured.balance,
        measured.interest,
        measured.accounts,
        measured.quarantined,
        files.as_of_date is not null as is_of_this_run,
        coalesce(files.is_approved, false) as is_approved,
        held_before.as_of_date is not null as is_held_before
    from measured
    left join files
        on measured.as_of_date = files.as_of_date
    left join held_before
        on measured.as_of_date = held_before.as_of_date
),

walked as (
    {# sqlfluff does not know the lambdas of both engines (PRS: not parsed). -#}
    {{ walk_deliveries('known') }} -- noqa: PRS
),

measures as (
    {{ limited_measures() }}
),

moved as (
    select
        walked.as_of_date,
        measures.measure,
        walked.as_of_date_before as previous_date,
        case measures.measure
            {%- for measure in movement_measures() %}
                when '{{ measure }}' then walked.{{ measure }}_before
            {%- endfor %}
        end as value_before,
        case measures.measure
            {%- for measure in movement_measures() %}
                when '{{ measure }}' then walked.{{ measure }}
            {%- endfor %}
        end as value_now,
        measures.limit_percent,
        files.is_approved,
        files.customers_sha256,
        files.accounts_sha256
    from walked
    inner join files
        on walked.as_of_date = files.as_of_date
    cross join measures
),

judged as (
    select
        moved.*,
        {{ moves_beyond('value_before', 'value_now', 'limit_percent') }} as is_beyond_limit
    from moved
)

select
    as_of_date,
    measure,
    previous_date,
    value_before,
    value_now,
    {{ percent_moved('value_before', 'value_now') }} as change_percent,
    limit_percent,
    is_beyond_limit,
    is_beyond_limit and not is_approved as is_held,
    customers_sha256,
    accounts_sha256
from judged
