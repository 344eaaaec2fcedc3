{#- Whether accounts of a type bear interest: only savings accounts do. -#}
{% macro bears_interest(account_type) -%}
    {{ account_type }} = 'Savings'
{%- endmacro %}
