{#- The rates in force on each date of this run: those with the newest effective date up to it. -#}
{% macro in_force(relation) -%}
    select *
    from (
        select
            dates.as_of_date,
            known.*,
            rank() over (
                partition by dates.as_of_date order by known.effective_date desc
            ) as age
        from ({{ dates_of_this_run() }}) as dates
        inner join {{ relation }} as known
            on dates.as_of_date >= known.effective_date
    ) as ranked
    where age = 1
{%- endmacro %}
