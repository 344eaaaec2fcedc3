{#- Lower case for ASCII letters only: a Kelvin sign is no k. -#}
{% macro lower_ascii(text) -%}
    translate({{ text }}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
{%- endmacro %}

{#- `Yes`, `No`, or `None` for no loan on record; NULL where the text says none of them. -#}
{% macro normalise_has_loan(text) -%}
    {%- set word = lower_ascii(trim_white_space(text)) -%}
    case
        when {{ text }} in ('Yes', 'No', 'None') then {{ text }}
        when {{ word }} in ('yes', 'y', 'true', '1') then 'Yes'
        when {{ word }} in ('no', 'n', 'false', '0') then 'No'
        when {{ word }} in ('none', '') then 'None'
    end
{%- endmacro %}

{#- `Savings` or `Checking`; NULL where the text says neither. -#}
{% macro normalise_account_type(text) -%}
    {%- set word = lower_ascii(trim_white_space(text)) -%}
    case
        when {{ text }} in ('Savings', 'Checking') then {{ text }}
        when {{ word }} = 'savings' then 'Savings'
        when {{ word }} = 'checking' then 'Checking'
    end
{%- endmacro %}
