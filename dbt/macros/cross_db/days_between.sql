{#- Whole days from one date to a later one. (dbt's own `datediff` goes by timestamps.) -#}
{% macro days_between(first_date, later_date) -%}
    {{ return(adapter.dispatch('days_between')(first_date, later_date)) }}
{%- endmacro %}

{% macro duckdb__days_between(first_date, later_date) -%}
    date_diff('day', {{ first_date }}, {{ later_date }})
{%- endmacro %}

{% macro databricks__days_between(first_date, later_date) -%}
    datediff({{ later_date }}, {{ first_date }})
{%- endmacro %}
