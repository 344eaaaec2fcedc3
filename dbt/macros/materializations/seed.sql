{#- A seed on Databricks: one atomic statement, so that it is never empty. Every run makes it anew, so
    that a manual change of a rate in the warehouse does not last. -#}
{% materialization seed, adapter='lendingclubdatabricks' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set table = load_agate_table() -%}
    {%- do store_result('agate_table', response='OK', agate_table=table) -%}
    {{ run_hooks(pre_hooks) }}
    {%- call statement('main') -%}
        create or replace table {{ target }} using delta as
        {{ rows_of_seed(table) }}
    {%- endcall -%}
    {%- do apply_grants(target, config.get('grants'), true) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- The rows of a seed as a query, each column of its type. -#}
{% macro rows_of_seed(table) -%}
    {%- set types = config.get('column_types', {}) -%}
    {%- set columns = table.column_names -%}
select
    {%- for column in columns %}
    cast({{ column }} as {{ types.get(column, adapter.convert_type(table, loop.index0)) }}) as {{ column }}
        {{- "," if not loop.last }}
    {%- endfor %}
from (values
    {%- for row in table.rows %}
    ({% for value in row %}{{ text_of_seed(value) }}{{ ", " if not loop.last }}{% endfor %})
        {{- "," if not loop.last }}
    {%- endfor %}
) as given ({{ columns | join(', ') }})
{%- endmacro %}

{% macro text_of_seed(value) -%}
    {%- if value is none -%}
        null
    {%- else -%}
        '{{ value | string | replace("\\", "\\\\") | replace("'", "\\'") }}'
    {%- endif -%}
{%- endmacro %}
