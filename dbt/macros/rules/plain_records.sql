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
