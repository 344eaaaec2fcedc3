{#- A 64-bit hash of some columns: fast, the same within one query, not across engines. -#}
{% macro hash_of(columns) -%}
    {{ return(adapter.dispatch('hash_of')(columns)) }}
{%- endmacro %}

{% macro duckdb__hash_of(columns) -%}
    hash({{ columns | join(', ') }})
{%- endmacro %}

{% macro databricks__hash_of(columns) -%}
    xxhash64({{ columns | join(', ') }})
{%- endmacro %}
