{#- Incremental strategy: the run's months are replaced as a whole, also by no rows at all. -#}
{% macro get_incremental_replace_month_sql(arg_dict) -%}
    {%- set condition = 'month in (' ~ as_dates(months_of_this_run()) ~ ')' -%}
    {{ return(replace_rows(arg_dict, condition)) }}
{%- endmacro %}
