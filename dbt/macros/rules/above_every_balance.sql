{#- The upper bound of the highest tier: the largest amount of its type, a thousand times the largest
    accepted balance. -#}
{% macro above_every_balance() -%}
    cast(9999999999999999.99 as decimal(18, 2))
{%- endmacro %}
