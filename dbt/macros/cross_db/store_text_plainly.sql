{#- For tables that every run builds anew: keep their text as it is. DuckDB would try its densest
    encoding on it, which takes as long as parsing the records and pays only for what stays. -#}
{% macro store_text_plainly(plainly=true) -%}
    {{ return(adapter.dispatch('store_text_plainly')(plainly)) }}
{%- endmacro %}

{% macro duckdb__store_text_plainly(plainly) -%}
    set disabled_compression_methods = '{{ "dict_fsst" if plainly else "" }}'
{%- endmacro %}

{% macro databricks__store_text_plainly(plainly) -%}
{%- endmacro %}
