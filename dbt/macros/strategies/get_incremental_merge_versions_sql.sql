{#- Incremental strategy of the histories: one atomic statement merges the versions that the run changes.
    An empty version (`valid_to` = `valid_from`) is deleted. Unchanged versions are not written: DuckDB
    would rewrite the text of whole row groups.

    The same on every engine; dbt looks for it by this name. -#}
{% macro get_incremental_merge_versions_sql(arg_dict) -%}
    {%- set keys = arg_dict['unique_key'] -%}
    {%- set end = ['valid_to', 'is_current'] -%}
    {%- set columns = model['columns'] | list -%}
    {%- set state = columns | reject('in', keys + end) | list -%}
    merge into {{ arg_dict['target_relation'] }} as history
    using {{ arg_dict['temp_relation'] }} as changed
        on
            {% for key in keys -%}
                history.{{ key }} = changed.{{ key }} {{- " and " if not loop.last }}
            {%- endfor %}
    when matched and changed.valid_to = changed.valid_from then delete
    when matched and ({{ states_differ('history', 'changed', state[0], state[1:]) }})
        then update set {{ set_from_changed(state + end) }}
    when matched then update set {{ set_from_changed(end) }}
    when not matched and changed.valid_to > changed.valid_from
        then insert ({{ columns | join(', ') }})
        values (changed.{{ columns | join(', changed.') }})
{%- endmacro %}

{% macro set_from_changed(columns) -%}
    {%- for column in columns -%}
        {{ column }} = changed.{{ column }} {{- ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
