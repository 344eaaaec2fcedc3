{#- The records whose key may occur more than once, by `as_of_date` and `record_number`: those that
    share the hash of some columns with another record.

    DuckDB sorts ten million hashes in half the time in which it groups them; Spark would sort them
    on one node. -#}
{% macro records_with_repeated_keys(relation, columns, condition) -%}
    {{ return(adapter.dispatch('records_with_repeated_keys')(relation, columns, condition)) }}
{%- endmacro %}

{% macro duckdb__records_with_repeated_keys(relation, columns, condition) -%}
    select
        as_of_date,
        record_number
    from (
        select
            as_of_date,
            record_number,
            key_hash,
            lag(key_hash) over (order by key_hash) as previous_hash,
            lead(key_hash) over (order by key_hash) as next_hash
        from (
            select
                as_of_date,
                record_number,
                {{ hash_of(columns) }} as key_hash
            from {{ relation }}
            where {{ condition }}
        ) as hashed
    ) as in_order
    where key_hash = previous_hash or key_hash = next_hash
{%- endmacro %}

{% macro databricks__records_with_repeated_keys(relation, columns, condition) -%}
    select
        as_of_date,
        record_number
    from (
        select
            as_of_date,
            record_number,
            count(*) over (partition by {{ hash_of(columns) }}) as copies
        from {{ relation }}
        where {{ condition }}
    ) as counted
    where copies > 1
{%- endmacro %}
