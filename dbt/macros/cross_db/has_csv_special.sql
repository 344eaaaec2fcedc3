{#- Does DuckDB's CSV writer put this text in quotes? It does for a comma, a quote, a line end
    and a number sign. -#}
{% macro has_csv_special(text) -%}
    {{ return(adapter.dispatch('has_csv_special')(text)) }}
{%- endmacro %}

{% macro duckdb__has_csv_special(text) -%}
    regexp_matches({{ text }}, '[,"#\r\n]')
{%- endmacro %}

{% macro databricks__has_csv_special(text) -%}
    regexp_like({{ text }}, r'[,"#\r\n]')
{%- endmacro %}
