{#- Replace each run of Unicode white space inside a text by one space. -#}
{% macro collapse_white_space(text) -%}
    {{ return(adapter.dispatch('collapse_white_space')(text)) }}
{%- endmacro %}

{% macro duckdb__collapse_white_space(text) -%}
    regexp_replace({{ text }}, '[' || {{ white_space_characters() }} || ']+', ' ', 'g')
{%- endmacro %}

{% macro databricks__collapse_white_space(text) -%}
    regexp_replace({{ text }}, concat('[', {{ white_space_characters() }}, ']+'), ' ')
{%- endmacro %}
