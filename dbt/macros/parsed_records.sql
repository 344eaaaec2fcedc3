{#- Typed fields beside the landed text, for the records of this run. Used more than once in one
    model, always inlined: materialising ten million parsed rows costs more than parsing twice the
    few columns that each use reads. -#}
{% macro parsed_customers() -%}
    select
        as_of_date,
        record_number,
        {{ parse_whole_number('customer_id') }} as customer_id,
        {{ normalise_name('name') }} as name,
        {{ normalise_has_loan('has_loan') }} as has_loan,
        customer_id as customer_id_text
    from {{ source('lending_club', 'customers_raw') }}
    where {{ is_of_this_run('as_of_date') }}
{%- endmacro %}

{% macro parsed_accounts() -%}
    select
        as_of_date,
        record_number,
        {{ trim_white_space('account_id') }} as account_id,
        {{ parse_whole_number('customer_id') }} as customer_id,
        {{ parse_money('balance') }} as balance,
        {{ normalise_account_type('account_type') }} as account_type,
        customer_id as customer_id_text,
        balance as balance_text,
        account_type as account_type_text
    from {{ source('lending_club', 'accounts_raw') }}
    where {{ is_of_this_run('as_of_date') }}
{%- endmacro %}

{% macro customer_id_reason(text) -%}
    case
        when {{ trim_white_space(text) }} = '' then 'customer_id_missing'
        else 'customer_id_not_a_whole_number'
    end
{%- endmacro %}
