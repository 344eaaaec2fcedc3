{#- The records of this run that have to be judged, as common table expressions for a model: `to_judge`,
    parsed, and `candidates`, those of them that may share a key, which may be a few more.

    On DuckDB records whose fields are all landed as numbers or words as they should be, and whose key
    is no other record's, are not among them: they are what they were landed as. Spark reads text. -#}
{% macro records_to_judge(parsed, table, keys, has_key, is_plain, plainly, key) -%}
    {{ return(adapter.dispatch('records_to_judge')(
        parsed, table, keys, has_key, is_plain, plainly, key
    )) }}
{%- endmacro %}

{#- parsed: macro that parses records, see `parsed_accounts`.
    table: relation of the raw records.
    keys: columns of `parsed` that no two valid records share.
    has_key: condition under which a parsed record has a key.
    is_plain: condition under which a raw record is what it was landed as.
    plainly: columns of `parsed` as expressions of a plain raw record.
    key: the key as a column of a plain raw record. -#}
{% macro duckdb__records_to_judge(parsed, table, keys, has_key, is_plain, plainly, key) -%}
odd as (
    {{ parsed(only='(' ~ is_plain ~ ') is not true') }}
),

{#- Keys of odd records are not what was landed: whether a plain one has the same is asked apart. #}

shared as (
    select key_hash
    from (
        {{ repeated_hashes(table, ['as_of_date', key], is_of_this_run('as_of_date')) }}
    ) as among_landed
    union distinct
    select {{ hash_of(keys) }} as key_hash
    from odd
    where {{ has_key }}
),

to_judge as (
    select * from odd
    union all by name
    select {{ plainly | join(', ') }}
    from {{ table }}
    where
        {{ is_of_this_run('as_of_date') }}
        and {{ is_plain }}
        and {{ hash_of(['as_of_date', key]) }} in (select shared.key_hash from shared)
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

{#- All records of this run: those that were judged, and the others as what they were landed as.

    judged: relation of a model that holds the first.
    table: relation of the raw records.
    plainly: see `records_to_judge`. -#}
{% macro judged_and_landed(judged, table, plainly) -%}
    {{ return(adapter.dispatch('judged_and_landed')(judged, table, plainly)) }}
{%- endmacro %}

{#- The join keeps out what was judged; written as `not exists`, it takes ten times as long. -#}
{% macro duckdb__judged_and_landed(judged, table, plainly) -%}
select
    landed.*,
    false as is_exact_duplicate,
    false as may_share_key,
    '' as reasons
from (
    select {{ plainly | join(', ') }}
    from {{ table }}
    where {{ is_of_this_run('as_of_date') }}
) as landed
left join {{ judged }} as judged
    on
        landed.record_number = judged.record_number
        and landed.as_of_date = judged.as_of_date
where judged.record_number is null
union all by name
select * from {{ judged }}
{%- endmacro %}

{% macro databricks__judged_and_landed(judged, table, plainly) -%}
select * from {{ judged }}
{%- endmacro %}

{#- Is a landed record of accounts what it was landed as: nothing of it is taken apart, no reason speaks
    against it? The numbers beside its text are those that the text writes plainly. -#}
{% macro are_plain_accounts() -%}
    customer_number > 0
    and balance_amount between 0 and 999999999999999.99
    and account_type in ('Savings', 'Checking')
    and {{ is_tidy('account_id') }}
{%- endmacro %}

{% macro plain_accounts() -%}
    {{ return([
        'as_of_date',
        'record_number',
        'account_id',
        'customer_number as customer_id',
        'balance_amount as balance',
        'account_type',
    ]) }}
{%- endmacro %}

{#- The same of customers; a tidy name is put in lower case wherever it is read. -#}
{% macro are_plain_customers() -%}
    customer_number > 0
    and has_loan in ('Yes', 'No', 'None')
    and {{ is_tidy_name('name') }}
{%- endmacro %}

{% macro plain_customers() -%}
    {{ return([
        'as_of_date',
        'record_number',
        'customer_number as customer_id',
        lower_each_code_point('name') ~ ' as name',
        'has_loan',
    ]) }}
{%- endmacro %}
