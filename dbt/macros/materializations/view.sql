{#- A view on Databricks: it is left alone if it is as it would be if it were made anew, comments and
    tags included. dbt-databricks makes it otherwise.

    Its own way to find that out (`view_update_via_alter`) takes four statements for each view. -#}
{% materialization view, adapter='lendingclubdatabricks' %}
    {%- if adapter.selects(this, view_definition(sql), config.get('databricks_tags')) -%}
        {%- call noop_statement('main', 'unchanged', 'unchanged', 0) -%}{{ sql }}{%- endcall -%}
        {%- do apply_grants(this, config.get('grants'), true) -%}
        {{ return({'relations': [this.incorporate(type='view')]}) }}
    {%- endif -%}
    {{ return(dbt.materialization_view_databricks()) }}
{% endmaterialization %}

{% macro lendingclubdatabricks__create_view_as(relation, sql) -%}
    {{ return(dbt.databricks__create_view_as(relation, view_definition(sql))) }}
{%- endmacro %}

{#- What a view selects. The name in it says what it was made with: comments of columns are not part of
    a query, and to read them takes a statement each. Comments of SQL are not kept by every engine. -#}
{% macro view_definition(sql) -%}
    {%- set described = [sql | trim, model.columns, model.description, config.get('databricks_tags')] -%}
    {%- set lines = [] -%}
    {%- for line in sql.splitlines() if not line.strip().startswith('--') -%}
        {%- do lines.append(line) -%}
    {%- endfor -%}
    select * from (
    {{ lines | join('\n') | trim }}
    ) as made_as_{{ local_md5(tojson(described)) }}
{%- endmacro %}
