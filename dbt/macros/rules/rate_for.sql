{#- Annual rate of a customer in a tier: the base rate, plus the bonus if the customer has a loan.

    has_loan: `Yes`, `No` or `None`, as SQL.
    rates: a relation with `annual_base_rate` and `annual_bonus_rate`. -#}
{% macro rate_for(has_loan, rates='rates') -%}
    cast(
        {{ rates }}.annual_base_rate
        + case when {{ has_loan }} = 'Yes' then {{ rates }}.annual_bonus_rate else 0 end
        as decimal(6, 4)
    )
{%- endmacro %}
