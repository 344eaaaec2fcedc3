{#- Whether a landed record of accounts is plain: it needs no cleaning and has no reason. The numbers beside
    its texts are those that the texts write plainly; in a base model they have other names. -#}
{% macro are_plain_accounts(customer_id='customer_number', balance='balance_amount') -%}
    {{ customer_id }} > 0
    and {{ balance }} between 0 and 999999999999999.99
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

{#- The same for customers; a tidy name is put in lower case when it is read. -#}
{% macro are_plain_customers(customer_id='customer_number') -%}
    {{ customer_id }} > 0
    and has_loan in ('Yes', 'No', 'None')
    and not {{ is_empty_or_untidy('name') }}
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
