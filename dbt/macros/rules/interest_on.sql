{#- Interest of one year, rounded half up to the cent. The balance is widened first, so that the
    product is exact on every engine before it is rounded. Below ten billion the product fits into 18
    digits, which engines multiply ten times as fast; the result is the same. -#}
{% macro interest_on(balance, rate) -%}
    case
        when {{ balance }} < 10000000000
            then {{ interest_in_digits(balance, rate, 12) }}
        else {{ interest_in_digits(balance, rate, 28) }}
    end
{%- endmacro %}

{% macro interest_in_digits(balance, rate, digits) -%}
    cast(
        round(
            cast({{ balance }} as decimal({{ digits }}, 2)) * cast({{ rate }} as decimal(6, 4)), 2
        ) as decimal(18, 2)
    )
{%- endmacro %}
