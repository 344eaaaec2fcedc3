{#- The quotient of two whole numbers, rounded half up to a whole number. -#}
{% macro rounded_division(dividend, divisor) -%}
    {{ whole_division('2 * (' ~ dividend ~ ') + (' ~ divisor ~ ')', '2 * (' ~ divisor ~ ')') }}
{%- endmacro %}
