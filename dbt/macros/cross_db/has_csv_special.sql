{#- Whether DuckDB's CSV writer quotes a text: if it holds a comma, a quote, a line end or a number
    sign. -#}
{% macro has_csv_special(text) -%}
    {{ return(adapter.dispatch('has_csv_special')(text)) }}
{%- endmacro %}

{% macro duckdb__has_csv_special(text) -%}
    regexp_matches({{ text }}, '[,"#\r\n]')
{%- endmacro %}

{% macro databricks__has_csv_special(text) -%}
    regexp_like({{ text }}, r'[,"#\r\n]')
{%- endmacro %}
