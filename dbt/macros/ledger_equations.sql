{#- What must close, by source file: a stage and the stages into which its rows went. -#}
{% macro ledger_equations() -%}
    {{ return([
        ('Customer.csv', 'records', ['landed', 'rejected']),
        ('Customer.csv', 'landed', ['cleaned', 'exact_duplicate', 'quarantined_staging']),
        ('accounts.csv', 'records', ['landed', 'rejected']),
        ('accounts.csv', 'landed', ['cleaned', 'exact_duplicate', 'quarantined_staging']),
        ('accounts.csv', 'cleaned', ['joined', 'quarantined_join']),
        ('accounts.csv', 'joined', ['not_savings', 'published']),
    ]) }}
{%- endmacro %}

{#- The equations that do not hold, with what is missing (positive) or too much (negative). -#}
{% macro ledger_differences(relation) -%}
    {%- for source_file, whole, parts in ledger_equations() %}
        {%- set sign = "case when stage = '" ~ whole ~ "' then 1 else -1 end" %}
    select
        as_of_date,
        '{{ source_file }}' as source_file,
        '{{ whole }} = {{ parts | join(" + ") }}' as equation,
        sum({{ sign }} * row_count) as rows_missing,
        coalesce(sum({{ sign }} * balance), 0) as balance_missing,
        coalesce(sum({{ sign }} * balance_unknown), 0) as balance_unknown_missing
    from {{ relation }}
    where
        source_file = '{{ source_file }}'
        and stage in ('{{ whole }}', '{{ parts | join("', '") }}')
    group by as_of_date
    having
        sum({{ sign }} * row_count) != 0
        or coalesce(sum({{ sign }} * balance), 0) != 0
        or coalesce(sum({{ sign }} * balance_unknown), 0) != 0
        or count(*) != {{ parts | length + 1 }}
        {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Whether all equations of a line's date hold; for a relation with one line for each stage. Window
    functions read the lines once; a join with the differences would compute them once more for each
    equation where an engine does not keep them (Spark). -#}
{% macro ledger_is_closed() -%}
    {%- for source_file, whole, parts in ledger_equations() %}
        {%- set is_first_equation = loop.first -%}
        {%- set is_of_file = "source_file = '" ~ source_file ~ "'" -%}
        {%- set sign -%}
            case
                when {{ is_of_file }} and stage = '{{ whole }}' then 1
                when {{ is_of_file }} and stage in ('{{ parts | join("', '") }}') then -1
                else 0
            end
        {%- endset %}
        {%- for measure in ['row_count', 'balance', 'balance_unknown'] %}
        {{ "and " if not (loop.first and is_first_equation) -}}
        sum({{ sign }} * coalesce({{ measure }}, 0)) over same_date = 0
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#- The stages of each file, in the order in which rows pass them. Only accounts have balances. -#}
{% macro ledger_stages() -%}
    {%- set stages = {
        'Customer.csv': [
            'records', 'rejected', 'landed', 'exact_duplicate', 'quarantined_staging', 'cleaned'
        ],
        'accounts.csv': [
            'records', 'rejected', 'landed', 'exact_duplicate', 'quarantined_staging', 'cleaned',
            'quarantined_join', 'joined', 'not_savings', 'published'
        ],
    } %}
    {%- for source_file, names in stages.items() %}
        {%- set is_last_file = loop.last %}
        {%- for name in names %}
        select
            '{{ source_file }}' as source_file,
            '{{ name }}' as stage,
            {{ 1 if source_file == 'accounts.csv' else 0 }} as has_balance
            {{ "union all" if not (is_last_file and loop.last) }}
        {%- endfor %}
    {%- endfor %}
{%- endmacro %}
