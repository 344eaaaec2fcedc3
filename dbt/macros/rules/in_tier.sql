{#- Whether a balance lies in a tier of the rates: from its lower bound, included, to its upper bound,
    excluded. The highest tier ends above every balance, so that no bound is NULL.

    rates: a relation with `lower_bound` and `upper_bound`, as of int_interest_rates__by_period. -#}
{% macro in_tier(balance, rates) -%}
    {{ balance }} >= {{ rates }}.lower_bound and {{ balance }} < {{ rates }}.upper_bound
{%- endmacro %}
