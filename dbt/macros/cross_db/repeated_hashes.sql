{#- Hashes that occur more than once among those of some columns, as column `key_hash`.

    DuckDB sorts ten million hashes in half the time in which it groups them; Spark would sort them
    on one node. -#}
{% macro repeated_hashes(relation, columns, condition='true') -%}
    {{ return(adapter.dispatch('repeated_hashes')(relation, columns, condition)) }}
{%- endmacro %}

{% macro duckdb__repeated_hashes(relation, columns, condition) -%}
    select distinct key_hash
    from (
        select
            key_hash,
            lag(key_hash) over (order by key_hash) as previous_hash
        from (
            select {{ hash_of(columns) }} as key_hash
            from {{ relation }}
            where {{ condition }}
        ) as hashed
    ) as in_order
    where key_hash = previous_hash
{%- endmacro %}

{% macro databricks__repeated_hashes(relation, columns, condition) -%}
    select key_hash
    from (
        select {{ hash_of(columns) }} as key_hash
        from {{ relation }}
        where {{ condition }}
    ) as hashed
    group by key_hash
    having count(*) > 1
{%- endmacro %}
