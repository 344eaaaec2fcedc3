{#- Lower case for ASCII letters only: a Kelvin sign is not a k. -#}
{% macro lower_ascii(text) -%}
    translate({{ text }}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')
{%- endmacro %}

{#- `Yes`, `No`, or `None` for no loan on record; NULL if the word, trimmed and in lower case, is not
    recognised. -#}
{% macro normalise_has_loan(word) -%}
    case
        when {{ word }} in ('yes', 'y', 'true', '1') then 'Yes'
        when {{ word }} in ('no', 'n', 'false', '0') then 'No'
        when {{ word }} in ('none', '') then 'None'
    end
{%- endmacro %}

{#- `Savings` or `Checking`; NULL if the word, trimmed and in lower case, is neither. -#}
{% macro normalise_account_type(word) -%}
    case
        when {{ word }} = 'savings' then 'Savings'
        when {{ word }} = 'checking' then 'Checking'
    end
{%- endmacro %}
