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
