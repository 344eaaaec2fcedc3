{#- Incremental strategy: the run's as-of dates are replaced as a whole, also by no rows at all.
    (`delete+insert` would keep the old rows of a day whose new delivery has none.) -#}
{% macro get_incremental_replace_as_of_date_sql(arg_dict) -%}
    {{ return(replace_rows(arg_dict, is_of_this_run('as_of_date'))) }}
{%- endmacro %}
