{#- An amount as a whole number of cents. -#}
{% macro cents(amount) -%}
    {{ return(adapter.dispatch('cents')(amount)) }}
{%- endmacro %}

{% macro duckdb__cents(amount) -%}
    cast(cast({{ amount }} as decimal(28, 2)) * 100 as hugeint)
{%- endmacro %}

{% macro databricks__cents(amount) -%}
    cast(cast({{ amount }} as decimal(28, 2)) * 100 as decimal(30, 0))
{%- endmacro %}
