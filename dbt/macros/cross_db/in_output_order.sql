{#- The order in which a table is stored, if it is that of an output: DuckDB keeps it, so that the table is
    sorted once for all outputs and readers. Delta clusters tables by itself.

    columns: what to order by. -#}
{% macro in_output_order(columns) -%}
    {{ return(adapter.dispatch('in_output_order')(columns)) }}
{%- endmacro %}

{% macro duckdb__in_output_order(columns) -%}
order by {{ columns }}
{%- endmacro %}

{% macro databricks__in_output_order(columns) -%}
{%- endmacro %}
