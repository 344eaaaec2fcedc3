"""The macros in which the engines differ, as queries on tables that both engines have."""

from typing import Final

# By name: what dbt compiles for each engine. The tables are made by `macro_engines.py`.
CASES: Final = {
    "characters": "select {{ white_space_characters() }} as characters",
    # For every code point what a macro changes, or says of it; rows without either are left out.
    "code_points": """
        select *
        from (
            select
                code_point,
                nullif({{ trim_white_space('padded') }}, padded) as trimmed,
                nullif({{ collapse_white_space('padded') }}, padded) as collapsed,
                {{ is_empty_or_untidy('padded') }} as is_untidy,
                {{ has_csv_special('letter') }} as is_special,
                {{ matches('letter', '[^!-~]*[0-9a-f][^!-~]*') }} as is_hexadecimal,
                nullif({{ lower_each_code_point('padded') }}, padded) as lowered
            from (
                select code_point, letter, letter || '-' || letter as padded
                from code_points
            ) as padded_points
        ) as changed
        where
            trimmed is not null or collapsed is not null or lowered is not null
            or is_untidy or is_special or is_hexadecimal
    """,
    "texts": """
        select
            id,
            {{ trim_white_space('text') }} as trimmed,
            {{ collapse_white_space('text') }} as collapsed,
            {{ is_empty_or_untidy('text') }} as is_untidy,
            {{ lower_each_code_point('text') }} as lowered,
            {{ lower_ascii('text') }} as lowered_ascii,
            {{ has_csv_special('text') }} as is_special,
            {{ csv_record(['text', "'x'", 'text']) }} as record
        from texts
    """,
    "customers": """
        select
            record_number,
            customer_id,
            case when customer_id is null then {{ customer_id_reason('odd_customer_id') }} end
                as customer_id_reason,
            name,
            has_loan
        from ({{ parsed_customers() }}) as parsed
    """,
    "accounts": """
        select
            record_number,
            account_id,
            customer_id,
            balance,
            balance_reasons,
            account_type
        from ({{ parsed_accounts() }}) as parsed
    """,
    "patterns": """
        select
            id,
            {{ matches('text', 'a') }} as one,
            {{ matches('text', 'a|ab') }} as either,
            {{ matches('text', '') }} as nothing,
            {{ matches('text', 'a[$]?') }} as dollar,
            {{ matches('text', '[^a]*') }} as no_a
        from texts
    """,
    "hashes": """
        select
            count(*) as pairs,
            count(case when {{ hash_of(['one.text', 'one.id']) }}
                = {{ hash_of(['other.text', 'other.id']) }} then 1 end) as alike
        from texts as one
        inner join texts as other on one.text = other.text
        where one.id >= other.id
    """,
    "records_with_repeated_keys": """
        {{ records_with_repeated_keys('keys', ['as_of_date', 'word'], "word != ''") }}
    """,
    "repeated_hashes": """
        select count(*) as repeated from (
            {{ repeated_hashes('keys', ['as_of_date', 'word']) }}
        ) as hashes
    """,
    "repeated_hashes_of_some": """
        select count(*) as repeated from (
            {{ repeated_hashes('keys', ['as_of_date', 'word'], "word != ''") }}
        ) as hashes
    """,
    "interest": """
        select
            id,
            {{ interest_on('balance', 'rate') }} as interest,
            cast(balance + {{ interest_on('balance', 'rate') }} as decimal(18, 2)) as new_balance
        from amounts
    """,
    "whole_numbers": """
        select
            id,
            cast({{ whole_division(cents('balance'), '7') }} as bigint) as sevenths,
            cast({{ days_between("date '2026-01-31'", "date '2026-03-01'") }} as bigint) as days
        from amounts
        where balance >= 0
    """,
    "plainly": """select '{{ store_plainly() | replace("'", "''") }}' as statement""",
    "as_usual": """select '{{ store_plainly(false) | replace("'", "''") }}' as statement""",
    "as_written": """select '{{ join_as_written() | replace("'", "''") }}' as statement""",
    "as_estimated": """select '{{ join_as_written(false) | replace("'", "''") }}' as statement""",
    "replace_by_some": """
        {%- if execute %}{{ replace_day('incoming') }}{% endif -%}
    """,
    "replace_by_none": """
        {%- if execute %}{{ replace_day('no_rows') }}{% endif -%}
    """,
    "contract_kept": "{{ as_contracted('select as_of_date, word from incoming') }}",
    "contract_with_another_type": "{{ as_contracted('select as_of_date, 1 as word from days') }}",
    "contract_without_a_column": "{{ as_contracted('select as_of_date from incoming') }}",
    "contract_with_another_column": """
        {{ as_contracted('select as_of_date, word, 1 as more from incoming') }}
    """,
    "view_described": "{{ view_definition('select word from days') }}",
    "view_of_another_indentation": """{{ view_definition('
        select word from days
    ') }}""",
    "view_described_otherwise": "{{ view_definition('select word from days') }}",
}

# What is said of some of the cases.
DESCRIPTIONS: Final = (
    """
models:
"""
    + "".join(
        f"""
  - name: {name}
    config: {{materialized: table, contract: {{enforced: true}}}}
    columns: [{{name: as_of_date, data_type: date}}, {{name: word, data_type: string}}]
"""
        for name in CASES
        if name.startswith("contract_")
    )
    + """
  - name: view_described
    columns: &described [{name: word, description: A word.}]
  - name: view_of_another_indentation
    columns: *described
  - name: view_described_otherwise
    columns: [{name: word, description: A word of a day.}]
"""
)

# What dbt passes to an incremental strategy.
REPLACE_DAY: Final = """
{% macro replace_day(incoming) -%}
    {%- set made = {'database': target.database, 'schema': target.schema} -%}
    {%- set days = api.Relation.create(identifier='days', **made) -%}
    {{ get_incremental_replace_as_of_date_sql({
        'target_relation': days,
        'temp_relation': api.Relation.create(identifier=incoming, **made),
        'dest_columns': adapter.get_columns_in_relation(days),
    }) }}
{%- endmacro %}
"""
