{#- All records of this run: judged ones from their model, and plain ones from the landed files.

    judged: relation of the model with the judged records.
    table: relation of the raw records.
    plainly: see `records_to_judge`. -#}
{% macro judged_and_landed(judged, table, plainly) -%}
    {{ return(adapter.dispatch('judged_and_landed')(judged, table, plainly)) }}
{%- endmacro %}

{#- The join excludes judged records; written as `not exists`, it takes ten times as long. The
    ledger proves once that all others are plain: a test at each reading would take most of the time. -#}
{% macro duckdb__judged_and_landed(judged, table, plainly) -%}
select
    landed.*,
    false as is_exact_duplicate,
    false as may_share_key,
    '' as reasons
from (
    select {{ plainly | join(', ') }}
    from {{ table }}
    where {{ is_of_this_run('as_of_date') }}
) as landed
left join {{ judged }} as judged
    on
        landed.record_number = judged.record_number
        and landed.as_of_date = judged.as_of_date
where judged.record_number is null
union all by name
select * from {{ judged }}
{%- endmacro %}

{% macro databricks__judged_and_landed(judged, table, plainly) -%}
select * from {{ judged }}
{%- endmacro %}
