{#- How dbt-databricks makes a table and fills it, but that its rows are written by a statement that
    may be sent twice: with `insert into` they would be doubled when its reply is lost and something
    on the way sends it again. -#}
{% macro create_table_at(relation, intermediate_relation, compiled_code) %}
    {%- set columns = adapter.get_columns_in_relation(intermediate_relation) -%}
    {%- set columns_and_constraints = parse_model_columns_and_constraints(columns) -%}
    {%- set target_relation = relation.enrich(columns_and_constraints[1]) -%}
    {%- set column_tags = adapter.get_column_tags_from_model(config.model) -%}

    {% call statement('main') %}
        {{ get_create_table_sql(target_relation, columns_and_constraints[0], compiled_code) }}
    {% endcall %}
    {{ apply_alter_constraints(target_relation) }}
    {{ apply_tags(target_relation, config.get('databricks_tags')) }}
    {% if column_tags and column_tags.set_column_tags %}
        {{ apply_column_tags(target_relation, column_tags) }}
    {% endif %}

    {% call statement('merge into target') %}
        insert overwrite {{ target_relation }} by name select * from {{ intermediate_relation }}
    {% endcall %}
{% endmacro %}
