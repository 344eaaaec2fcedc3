{#- For joins with raw files of several dates: DuckDB takes files that it picks by their date for a
    handful of rows, and would keep all of their text in memory to look up a few records in it. As
    written, the right side of each join is the one that is kept. Spark estimates files by size.

    The option is one of the whole engine, and so it is set only where no other thread of dbt could see
    it (DBT_THREADS=1). -#}
{% macro join_as_written(as_written=true) -%}
    {{ return(adapter.dispatch('join_as_written')(as_written)) }}
{%- endmacro %}

{% macro duckdb__join_as_written(as_written) -%}
    {%- if target.threads == 1 -%}
        set disabled_optimizers = '{{ "join_order,build_side_probe_side" if as_written else "" }}'
    {%- endif -%}
{%- endmacro %}

{% macro databricks__join_as_written(as_written) -%}
{%- endmacro %}
