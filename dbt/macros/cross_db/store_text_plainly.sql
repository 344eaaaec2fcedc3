{#- For large tables into which every run writes many rows: store their text without DuckDB's dense
    encodings. To try them takes as long as parsing the records (`dict_fsst`), or half as long
    (`fsst`, which is not chosen for keys).

    The option is global to the engine, so it is set only if dbt has one thread (DBT_THREADS=1). -#}
{% macro store_text_plainly(plainly=true) -%}
    {{ return(adapter.dispatch('store_text_plainly')(plainly)) }}
{%- endmacro %}

{% macro duckdb__store_text_plainly(plainly) -%}
    {%- if target.threads == 1 -%}
        set disabled_compression_methods = '{{ "dict_fsst,fsst" if plainly else "" }}'
    {%- endif -%}
{%- endmacro %}

{% macro databricks__store_text_plainly(plainly) -%}
{%- endmacro %}
