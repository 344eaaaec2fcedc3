{#- The records whose key may occur more than once, by `as_of_date` and `record_number`: those that
    share the hash of some columns with another record.

    DuckDB finds the hashes that occur more than once, usually none, in half the time in which it
    sorts the records by them, and looks for their records afterwards. Spark would sort all hashes on
    one node. -#}
{% macro records_with_repeated_keys(relation, columns, condition) -%}
    {{ return(adapter.dispatch('records_with_repeated_keys')(relation, columns, condition)) }}
{%- endmacro %}

{% macro duckdb__records_with_repeated_keys(relation, columns, condition) -%}
    select
        as_of_date,
        record_number
    from {{ relation }}
    where
        {{ condition }}
        and {{ hash_of(columns) }} in (
            select twice.key_hash
            from ({{ repeated_hashes(relation, columns, condition) }}) as twice
        )
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
