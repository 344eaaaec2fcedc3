{#- A view on Databricks: it is replaced only if its query, comments or tags changed. If so,
    dbt-databricks makes it.

    dbt-databricks' own check for changes (`view_update_via_alter`) takes four statements per view. -#}
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

{#- The query of a view. A name in it changes with the comments of columns, which are not part of a
    query and take a statement each to read. Not every engine keeps SQL comments. -#}
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
