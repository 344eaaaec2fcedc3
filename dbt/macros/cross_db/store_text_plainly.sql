{#- For large tables of which every run writes many rows: keep their text as it is. DuckDB would try
    its dense encodings on it, which takes as long as parsing the records (`dict_fsst`), or half as long
    without being chosen for keys (`fsst`).

    The option is one of the whole engine, and so it is set only where no other thread of dbt could see
    it (DBT_THREADS=1). -#}
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
