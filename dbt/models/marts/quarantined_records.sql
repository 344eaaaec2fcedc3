{{ config(
    materialized='incremental',
    incremental_strategy='replace_as_of_date',
    on_schema_change='append_new_columns',
    pre_hook="{{ join_as_written() }}",
    post_hook="{{ join_as_written(false) }}",
) }}

with

quarantined_customers as (
    select
        as_of_date,
        record_number,
        customer_id,
        reasons
    from {{ ref('base_customers') }}
    where reasons != '' and not is_exact_duplicate
),

raw_customers as (
    select * from {{ source('lending_club', 'customers_raw') }}
    where {{ is_of_this_run('as_of_date') }}
),

unmatched_accounts as (
    select * from {{ ref('int_accounts__without_customer') }}
),

{#- Select the records first: nearly all others need not be read completely. #}

quarantined_numbers as (
    select
        as_of_date,
        record_number,
        max(reason) as reason
    from (
        select
            as_of_date,
            record_number,
            reason
        from unmatched_accounts
        union all
        select
            as_of_date,
            record_number,
            cast(null as {{ dbt.type_string() }}) as reason
        from {{ ref('base_accounts') }}
        where reasons != '' and not is_exact_duplicate
    ) as numbers
    group by as_of_date, record_number
),

quarantined_accounts as (
    select
        base.as_of_date,
        base.record_number,
        base.customer_id,
        nullif(base.account_id, '') as account_id,
        base.balance,
        base.account_type,
        base.reasons != '' as is_quarantined_in_staging,
        concat_ws(';', nullif(base.reasons, ''), quarantined_numbers.reason) as reasons
    from {{ ref('base_accounts') }} as base
    inner join quarantined_numbers
        on
            base.record_number = quarantined_numbers.record_number
            and base.as_of_date = quarantined_numbers.as_of_date
),

raw_accounts as (
    select * from {{ source('lending_club', 'accounts_raw') }}
    where {{ is_of_this_run('as_of_date') }}
),

rejected_records as (
    select * from {{ source('lending_club', 'rejected_records') }}
    where {{ is_of_this_run('as_of_date') }}
),

unioned as (
    select
        raw_customers.as_of_date,
        raw_customers.source_file,
        'staging' as stage,
        raw_customers.record_number,
        cast(null as bigint) as line_number,
        quarantined_customers.reasons,
        {{ csv_record([
            'raw_customers.customer_id', 'raw_customers.name', 'raw_customers.has_loan'
        ]) }} as raw_record,
        cast(null as decimal(18, 2)) as balance,
        cast(null as {{ dbt.type_string() }}) as account_type,
        quarantined_customers.customer_id,
        cast(null as {{ dbt.type_string() }}) as account_id
    from raw_customers
    inner join quarantined_customers
        on
            raw_customers.record_number = quarantined_customers.record_number
            and raw_customers.as_of_date = quarantined_customers.as_of_date
    union all
    select
        raw_accounts.as_of_date,
        raw_accounts.source_file,
        case when quarantined_accounts.is_quarantined_in_staging then 'staging' else 'join' end
            as stage,
        raw_accounts.record_number,
        cast(null as bigint) as line_number,
        quarantined_accounts.reasons,
        {{ csv_record([
            'raw_accounts.account_id', 'raw_accounts.customer_id', 'raw_accounts.balance',
            'raw_accounts.account_type'
        ]) }} as raw_record,
        quarantined_accounts.balance,
        quarantined_accounts.account_type,
        quarantined_accounts.customer_id,
        quarantined_accounts.account_id
    from raw_accounts
    inner join quarantined_accounts
        on
            raw_accounts.record_number = quarantined_accounts.record_number
            and raw_accounts.as_of_date = quarantined_accounts.as_of_date
    union all
    select
        as_of_date,
        source_file,
        'rejected' as stage,
        cast(null as bigint) as record_number,
        line_number,
        reason as reasons,
        raw_record,
        cast(null as decimal(18, 2)) as balance,
        cast(null as {{ dbt.type_string() }}) as account_type,
        cast(null as bigint) as customer_id,
        cast(null as {{ dbt.type_string() }}) as account_id
    from rejected_records
)

select
    as_of_date,
    source_file,
    stage,
    record_number,
    line_number,
    reasons,
    raw_record,
    balance,
    account_type,
    customer_id,
    account_id
from unioned
