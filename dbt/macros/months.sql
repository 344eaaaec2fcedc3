{#- The first days of the months that this run computes, as ISO texts in their order: those of the
    variable `months`, else those in which the dates of the run lie. -#}
{% macro months_of_this_run() -%}
    {%- set given = var('months', none) or days_of_this_run() or ['1900-01-01'] -%}
    {%- set months = [] -%}
    {%- for day in given -%}
        {%- do months.append((day | string)[:7] ~ '-01') -%}
    {%- endfor -%}
    {{ return(months | unique | sort | list) }}
{%- endmacro %}

{#- The same as a relation with `month` and `next_month`. -#}
{% macro months_with_ends() -%}
    {%- for month in months_of_this_run() -%}
        {%- set year, number = month[:4] | int, month[5:7] | int -%}
        {%- set next = '%04d-%02d-01' % (year + number // 12, number % 12 + 1) -%}
        select {{ as_dates([month]) }} as month, {{ as_dates([next]) }} as next_month
        {{- " union all " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
