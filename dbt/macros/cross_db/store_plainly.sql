{#- For large tables into which every run writes many rows: store them without those encodings of DuckDB that
    cost most to try. For text that takes as long as parsing the records (`dict_fsst`), or half as long
    (`fsst`, which is not chosen for keys); the others are never chosen for what these tables hold.

    The option is global to the engine, so it is set only if dbt has one thread (DBT_THREADS=1). -#}
{% macro store_plainly(plainly=true) -%}
    {{ return(adapter.dispatch('store_plainly')(plainly)) }}
{%- endmacro %}

{% macro duckdb__store_plainly(plainly) -%}
    {%- if target.threads == 1 -%}
        set disabled_compression_methods = '{{
            "dict_fsst,fsst,dictionary,rle,zstd,roaring,alp,alprd" if plainly else ""
        }}'
    {%- endif -%}
{%- endmacro %}

{% macro databricks__store_plainly(plainly) -%}
{%- endmacro %}
