{#- The rates that have the newest effective date that is not after the as-of date. -#}
{% macro in_force(relation) -%}
    select *
    from {{ relation }}
    where effective_date = (
        select max(known.effective_date) from {{ relation }} as known
        where known.effective_date <= {{ as_of_date() }}
    )
{%- endmacro %}
