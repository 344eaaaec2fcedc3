{#- Incremental strategy: the run's as-of date is replaced as a whole, also by no rows at all.
    (`delete+insert` would leave a day standing whose new delivery has no rows.) -#}
{% macro get_incremental_replace_as_of_date_sql(arg_dict) -%}
    {{ return(adapter.dispatch('get_incremental_replace_as_of_date_sql')(arg_dict)) }}
{%- endmacro %}

{% macro duckdb__get_incremental_replace_as_of_date_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }} where {{ is_of_this_run('as_of_date') }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}

{#- One atomic statement. It takes columns by position, so that they are named in the table's order. -#}
{% macro databricks__get_incremental_replace_as_of_date_sql(arg_dict) -%}
    {%- set columns = adapter.get_columns_in_relation(arg_dict['target_relation'])
        | map(attribute='quoted') | join(', ') -%}
    insert into {{ arg_dict['target_relation'] }}
    replace where {{ is_of_this_run('as_of_date') }}
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
