{#- For joins with raw files of several dates: DuckDB underestimates files that it picks by their date,
    and would keep all of their text in memory to look up a few records. With this option it keeps
    the right side of each join as written. Spark estimates files by size.

    The option is global to the engine, so it is set only if dbt has one thread (DBT_THREADS=1). -#}
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
