{#- Incremental strategy: the run's as-of dates are replaced as a whole, also by no rows at all.
    (`delete+insert` would leave a day standing whose new delivery has no rows.) -#}
{% macro get_incremental_replace_as_of_date_sql(arg_dict) -%}
    {{ return(replace_rows(arg_dict, is_of_this_run('as_of_date'))) }}
{%- endmacro %}
