{#- The business dates that this run processes, as SQL: those of the variable `as_of_dates` (a list),
    or that of `as_of_date`; none means the newest landed. -#}
{% macro given_dates() -%}
    {%- set given = var('as_of_dates', none) or [var('as_of_date', none)] -%}
    {%- set dates = [] -%}
    {%- for date in given if date -%}
        {%- do dates.append("cast('" ~ date ~ "' as date)") -%}
    {%- endfor -%}
    {{ return(dates) }}
{%- endmacro %}

{#- Restricts a relation to the dates of this run; only this file knows which dates these are. -#}
{% macro is_of_this_run(column) -%}
    {%- set dates = given_dates() -%}
    {%- if dates | length > 1 -%}
        {{ column }} in ({{ dates | join(', ') }})
    {%- elif dates -%}
        {{ column }} = {{ dates[0] }}
    {%- else -%}
        {{ column }} = (
            select max(delivered.as_of_date)
            from {{ source('lending_club', 'delivered_files') }} as delivered
        )
    {%- endif -%}
{%- endmacro %}

{#- Adds the dates to the join condition of two relations that hold only this run's dates, unless the run
    has just one date: a second key makes a join of ten million rows slower by a fifth. -#}
{% macro and_of_same_date(one, other) -%}
    {%- if given_dates() | length != 1 -%}
        and {{ one }}.as_of_date = {{ other }}.as_of_date
    {%- endif -%}
{%- endmacro %}

{#- The dates that this run processes, as a relation with the column `as_of_date`. -#}
{% macro dates_of_this_run() -%}
    {%- for date in given_dates() %}
    select {{ date }} as as_of_date
        {{- " union all" if not loop.last }}
    {%- else %}
    select max(as_of_date) as as_of_date
    from {{ source('lending_club', 'delivered_files') }}
    {%- endfor %}
{%- endmacro %}
