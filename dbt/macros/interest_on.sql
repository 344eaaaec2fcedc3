{#- Interest of one year, rounded half up to the cent. The balance is widened first, so that the
    product is exact on every engine before it is rounded. -#}
{% macro interest_on(balance, rate) -%}
    cast(
        round(cast({{ balance }} as decimal(28, 2)) * cast({{ rate }} as decimal(6, 4)), 2)
        as decimal(18, 2)
    )
{%- endmacro %}
