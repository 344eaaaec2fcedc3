{#- dbt's strategy `merge` on Databricks, with a query instead of a temporary view: columns are matched by
    name, so that no statement has to list them. -#}
{% macro lendingclubdatabricks__get_incremental_merge_sql(arg_dict) -%}
    merge into {{ arg_dict['target_relation'] }} as target
    using {{ arg_dict['temp_relation'] }} as made
        on
            {% for key in arg_dict['unique_key'] -%}
                target.{{ key }} = made.{{ key }} {{- " and " if not loop.last }}
            {%- endfor %}
    when matched then update set *
    when not matched then insert *
{%- endmacro %}
