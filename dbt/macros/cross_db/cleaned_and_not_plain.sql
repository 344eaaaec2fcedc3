{#- Cleaned records that are perhaps not plain. That all others are plain is proven by the ledger on every
    run.

    model: relation of the cleaned records; judged: name of the model with the judged ones. -#}
{% macro cleaned_and_not_plain(model, judged) -%}
    {{ return(adapter.dispatch('cleaned_and_not_plain')(model, judged)) }}
{%- endmacro %}

{% macro duckdb__cleaned_and_not_plain(model, judged) -%}
(
        select * from {{ ref(judged) }}
        where reasons = '' and not is_exact_duplicate
    ) as cleaned
{%- endmacro %}

{#- All records were judged. -#}
{% macro databricks__cleaned_and_not_plain(model, judged) -%}
{{ model }}
{%- endmacro %}
