{#- Incremental strategy: the run's months are replaced as a whole, also by no rows at all. -#}
{% macro get_incremental_replace_month_sql(arg_dict) -%}
    {%- set months = as_dates(given_months())
        or 'select months.month from (' ~ months_of_this_run() ~ ') as months' -%}
    {%- set condition = 'month in (' ~ months ~ ')' -%}
    {{ return(replace_rows(arg_dict, condition)) }}
{%- endmacro %}
