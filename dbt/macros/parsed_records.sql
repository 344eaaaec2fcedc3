{#- Typed fields beside the landed text, for the records of this run; all of them, or those named.
    Used more than once in one model, always inlined: materialising ten million parsed rows costs
    more than parsing twice the few columns that each use reads. -#}
{% macro parsed_customers(columns=none) -%}
    {{ parsed_records('customers_raw', {
        'customer_id': parse_whole_number('customer_id'),
        'name': normalise_name('name'),
        'has_loan': normalise_has_loan('has_loan'),
        'customer_id_text': 'customer_id',
    }, columns) }}
{%- endmacro %}

{% macro parsed_accounts(columns=none) -%}
    {{ parsed_records('accounts_raw', {
        'account_id': trim_white_space('account_id'),
        'customer_id': parse_whole_number('customer_id'),
        'balance': parse_money('balance'),
        'account_type': normalise_account_type('account_type'),
        'customer_id_text': 'customer_id',
        'balance_text': 'balance',
        'account_type_text': 'account_type',
    }, columns) }}
{%- endmacro %}

{% macro parsed_records(table, expressions, columns) -%}
    select
        as_of_date,
        record_number
        {%- for column in columns or expressions %},
        {{ expressions[column] }} as {{ column }}
        {%- endfor %}
    from {{ source('lending_club', table) }}
    where {{ is_of_this_run('as_of_date') }}
{%- endmacro %}

{% macro customer_id_reason(text) -%}
    case
        when {{ trim_white_space(text) }} = '' then 'customer_id_missing'
        else 'customer_id_not_a_whole_number'
    end
{%- endmacro %}
