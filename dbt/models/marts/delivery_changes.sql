{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['as_of_date', 'change_kind'],
    on_schema_change='fail',
) }}

{%- set changes, pairs = ref('account_changes'), deliveries_to_compare(ref('delivery_ledger')) %}

{#- Dates stand as constants, one comparison after the other: so the histories are read only for
    what lies between both dates. #}

with

compared as (
    {%- for previous_date, as_of_date in pairs %}
        select
            {{ as_dates([previous_date]) }} as previous_date,
            {{ as_dates([as_of_date]) }} as as_of_date
            {{- "\n        union all" if not loop.last }}
    {%- else %}
        select
            cast(null as date) as previous_date,
            cast(null as date) as as_of_date
        where false
    {%- endfor %}
),

{#- Each set of kinds once: they are few, however many accounts changed. #}

sets as (
    {%- for previous_date, as_of_date in pairs or [['0001-01-01', '0001-01-01']] %}
        select
            as_of_date,
            change_kinds,
            count(*) as accounts,
            sum(balance_before) as balance_before,
            sum(balance_after) as balance_after
        from {{ changes }}
        where
            previous_date = {{ as_dates([previous_date]) }}
            and as_of_date = {{ as_dates([as_of_date]) }}
            and {{ 'true' if pairs else 'false' }}
        group by as_of_date, change_kinds
        {{- "\n        union all" if not loop.last }}
    {%- endfor %}
),

kinds as (
    select * from {{ ref('change_kinds') }}
),

totals as (
    select
        sets.as_of_date,
        kinds.code as change_kind,
        sum(sets.accounts) as accounts,
        sum(sets.balance_before) as balance_before,
        sum(sets.balance_after) as balance_after
    from sets
    inner join kinds
        on contains(';' || sets.change_kinds || ';', ';' || kinds.code || ';')
    group by sets.as_of_date, kinds.code
)

select
    compared.as_of_date,
    kinds.code as change_kind,
    compared.previous_date,
    cast(coalesce(totals.accounts, 0) as bigint) as accounts,
    cast(coalesce(totals.balance_before, 0) as decimal(38, 2)) as balance_before,
    cast(coalesce(totals.balance_after, 0) as decimal(38, 2)) as balance_after
from compared
cross join kinds
left join totals
    on
        compared.as_of_date = totals.as_of_date
        and kinds.code = totals.change_kind
