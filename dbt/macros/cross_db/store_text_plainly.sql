{#- For large tables of which every run writes many rows: keep their text as it is. DuckDB would try
    its densest encoding on it, which takes as long as parsing the records. -#}
{% macro store_text_plainly(plainly=true) -%}
    {{ return(adapter.dispatch('store_text_plainly')(plainly)) }}
{%- endmacro %}

{% macro duckdb__store_text_plainly(plainly) -%}
    set disabled_compression_methods = '{{ "dict_fsst" if plainly else "" }}'
{%- endmacro %}

{% macro databricks__store_text_plainly(plainly) -%}
{%- endmacro %}
