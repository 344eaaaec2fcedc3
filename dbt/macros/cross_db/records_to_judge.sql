{#- The records of this run that have to be judged, as common table expressions for a model: `to_judge`
    holds them parsed; `candidates` holds those that may share a key, and perhaps a few more.

    On DuckDB plain records are not judged: all of their fields need no cleaning, and no other record
    has their key. On Spark all records are judged, because it reads text. -#}
{% macro records_to_judge(parsed, table, keys, has_key, is_plain, plainly, key) -%}
    {{ return(adapter.dispatch('records_to_judge')(
        parsed, table, keys, has_key, is_plain, plainly, key
    )) }}
{%- endmacro %}

{#- parsed: macro that parses records, see `parsed_accounts`.
    table: relation of the raw records.
    keys: columns of `parsed` that no two valid records share.
    has_key: condition under which a parsed record has a key.
    is_plain: condition for a plain raw record.
    plainly: columns of `parsed` as expressions of a plain raw record.
    key: the key as a column of a plain raw record. -#}
{% macro duckdb__records_to_judge(parsed, table, keys, has_key, is_plain, plainly, key) -%}
odd as (
    {{ parsed(only='(' ~ is_plain ~ ') is not true') }}
),

{#- Keys of odd records differ from their landed text, so they are compared with plain keys separately. #}

shared as (
    {%- if not keys_grow(table, key, is_of_this_run('as_of_date')) %}
    select key_hash
    from (
        {{ repeated_hashes(table, ['as_of_date', key], is_of_this_run('as_of_date')) }}
    ) as among_landed
    union distinct
    {%- endif %}
    select {{ hash_of(keys) }} as key_hash
    from odd
    where {{ has_key }}
),

{#- Every record that is not odd is plain. Testing that again would take longer than finding these few. #}

with_shared_key as (
    select {{ plainly | join(', ') }}
    from {{ table }}
    where
        {{ is_of_this_run('as_of_date') }}
        and {{ hash_of(['as_of_date', key]) }} in (select shared.key_hash from shared)
),

to_judge as (
    select * from odd
    union all by name
    select with_shared_key.*
    from with_shared_key
    left join odd
        on
            with_shared_key.record_number = odd.record_number
            and with_shared_key.as_of_date = odd.as_of_date
    where odd.record_number is null
),

candidates as (
    select * from to_judge
    where {{ has_key }}
)
{%- endmacro %}

{% macro databricks__records_to_judge(parsed, table, keys, has_key, is_plain, plainly, key) -%}
repeated as (
    {{ records_with_repeated_keys('(' ~ parsed() ~ ') as parsed', keys, has_key) }}
),

candidates as (
    select * from ({{ parsed(only_in='repeated') }}) as parsed
    where {{ has_key }}
),

to_judge as (
    {{ parsed() }}
)
{%- endmacro %}
