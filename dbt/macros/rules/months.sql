{#- The months that this run computes: those of the variable `months` (a list of their first days), else
    the months of the run's dates. -#}

{#- Their first days as ISO texts, in order; none if the run was given no dates. -#}
{% macro given_months() -%}
    {%- set months = [] -%}
    {%- for day in var('months', none) or given_days() -%}
        {%- do months.append((day | string)[:7] ~ '-01') -%}
    {%- endfor -%}
    {{ return(months | unique | sort | list) }}
{%- endmacro %}

{#- A relation with `month`, the first day, and `next_month`. -#}
{% macro months_of_this_run() -%}
    {%- for month in given_months() -%}
        {%- set year, number = month[:4] | int, month[5:7] | int -%}
        {%- set next = '%04d-%02d-01' % (year + number // 12, number % 12 + 1) -%}
        select {{ as_dates([month]) }} as month, {{ as_dates([next]) }} as next_month
        {{- "\n    union all\n    " if not loop.last }}
    {%- else -%}
        select
            cast({{ dbt.date_trunc('month', 'as_of_date') }} as date) as month,
            cast(
                {{ dbt.dateadd('month', 1, dbt.date_trunc('month', 'as_of_date')) }} as date
            ) as next_month
        from ({{ dates_of_this_run() }}) as dates
    {%- endfor -%}
{%- endmacro %}
