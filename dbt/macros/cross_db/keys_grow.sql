{#- Whether the keys of records grow from each to the next, so that none occurs twice: asked of the engine at
    compile time. Many senders sort their files.

    table: relation of the raw records; key: one of its columns; condition: which records. -#}
{% macro keys_grow(table, key, condition) -%}
    {{ return(adapter.dispatch('keys_grow')(table, key, condition)) }}
{%- endmacro %}

{% macro duckdb__keys_grow(table, key, condition) -%}
    {#- The rows of a unit test are no relation of a database. -#}
    {%- if not (execute and table.database and load_relation(table)) -%}
        {{ return(false) }}
    {%- endif -%}
    {#- The engine compares all records before it returns one. In unsorted files a few records give the answer. -#}
    {%- for limit in ['limit 2048', ''] -%}
        {%- set query -%}
            select 1 as found
            from (
                select this_key, lag(this_key) over () as previous_key
                from (
                    select {{ key }} as this_key
                    from {{ table }}
                    where {{ condition }}
                    {{ limit }}
                ) as records
            ) as in_turn
            where this_key is null or previous_key >= this_key
            limit 1
        {%- endset -%}
        {%- if run_query(query).rows | length > 0 -%}
            {{ return(false) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{#- On Spark all records are judged: see `records_to_judge`. -#}
{% macro databricks__keys_grow(table, key, condition) -%}
    {{ return(false) }}
{%- endmacro %}
