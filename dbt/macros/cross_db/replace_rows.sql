{#- Replaces the rows of an incremental table for which a condition holds by those of the run. -#}
{% macro replace_rows(arg_dict, condition) -%}
    {{ return(adapter.dispatch('replace_rows')(arg_dict, condition)) }}
{%- endmacro %}

{% macro duckdb__replace_rows(arg_dict, condition) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }} where {{ condition }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}

{#- One atomic statement. It takes columns by position, so that they are named in the table's order. -#}
{% macro databricks__replace_rows(arg_dict, condition) -%}
    {%- set columns = adapter.get_columns_in_relation(arg_dict['target_relation'])
        | map(attribute='quoted') | join(', ') -%}
    insert into {{ arg_dict['target_relation'] }}
    replace where {{ condition }}
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
