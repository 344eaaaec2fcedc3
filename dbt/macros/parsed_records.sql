{#- Typed fields beside the landed text, for the records of this run; all of them, or those named. Of
    all records, or of those whose number is in the relation `only_in` (perhaps of another date).
    Used more than once in one model, always inlined: materialising ten million parsed rows costs
    more than parsing twice the few columns that each use reads. -#}
{% macro parsed_customers(columns=none, only_in=none) -%}
    {{ parsed_records('customers_raw', {
        'customer_id': parse_whole_number('customer_id'),
        'name': normalise_name('name'),
        'has_loan': normalise_has_loan('has_loan'),
        'customer_id_text': 'customer_id',
    }, columns, only_in) }}
{%- endmacro %}

{% macro parsed_accounts(columns=none, only_in=none) -%}
    {{ parsed_records('accounts_raw', {
        'account_id': trim_white_space('account_id'),
        'customer_id': parse_whole_number('customer_id'),
        'balance': parse_money('balance'),
        'account_type': normalise_account_type('account_type'),
        'customer_id_text': 'customer_id',
        'balance_text': 'balance',
        'account_type_text': 'account_type',
    }, columns, only_in) }}
{%- endmacro %}

{% macro parsed_records(table, expressions, columns, only_in) -%}
    select
        as_of_date,
        record_number
        {%- for column in columns or expressions %},
        {{ expressions[column] }} as {{ column }}
        {%- endfor %}
    from {{ source('lending_club', table) }}
    where
        {{ is_of_this_run('as_of_date') }}
        {%- if only_in %}
        and record_number in (select {{ only_in }}.record_number from {{ only_in }})
        {%- endif %}
{%- endmacro %}

{% macro customer_id_reason(text) -%}
    case
        when {{ trim_white_space(text) }} = '' then 'customer_id_missing'
        else 'customer_id_not_a_whole_number'
    end
{%- endmacro %}
