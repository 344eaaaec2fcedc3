{#- All records of this run: judged ones from their model, and plain ones from the landed files.

    judged: relation of the model with the judged records.
    table: relation of the raw records.
    plainly: see `records_to_judge`. -#}
{% macro judged_and_landed(judged, table, plainly) -%}
    {{ return(adapter.dispatch('judged_and_landed')(judged, table, plainly)) }}
{%- endmacro %}

{#- The join excludes judged records; written as `not exists`, it takes ten times as long. That all others
    are plain is proved once, by the ledger: to test it at each reading would take most of the time. -#}
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

{#- The records of a base model that the ledger counts as landed: those that were judged, and those that are
    plain. A record that is neither was forgotten when records were judged, and the ledger does not close.

    base, judged: names of the base model and of the model with its judged records.
    is_plain: condition for a plain record of the base model. -#}
{% macro judged_or_plain(base, judged, is_plain) -%}
    {{ return(adapter.dispatch('judged_or_plain')(base, judged, is_plain)) }}
{%- endmacro %}

{% macro duckdb__judged_or_plain(base, judged, is_plain) -%}
(
        select * from {{ ref(base) }}
        where {{ is_plain }}
        union all by name
        select * from {{ ref(judged) }}
        where ({{ is_plain }}) is not true
    ) as judged_or_plain
{%- endmacro %}

{#- All records were judged. -#}
{% macro databricks__judged_or_plain(base, judged, is_plain) -%}
{{ ref(base) }}
{%- endmacro %}
