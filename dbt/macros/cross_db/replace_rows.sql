{#- Replaces the rows of an incremental table that satisfy a condition by the rows of the run. -#}
{% macro replace_rows(arg_dict, condition) -%}
    {{ return(adapter.dispatch('replace_rows')(arg_dict, condition)) }}
{%- endmacro %}

{% macro duckdb__replace_rows(arg_dict, condition) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }} where {{ condition }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{%- endmacro %}

{#- One atomic statement. -#}
{% macro databricks__replace_rows(arg_dict, condition) -%}
    insert into {{ arg_dict['target_relation'] }}
    by name replace where {{ condition }}
    select * from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
