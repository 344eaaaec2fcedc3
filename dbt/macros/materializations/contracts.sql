{#- Contracts of models on Databricks. dbt's own check compares the types of a query without precision
    and scale, and takes two statements for each table. -#}

{#- Makes a table with the columns, constraints, comments and tags of the model, and no rows. -#}
{% macro create_as_contracted(relation) -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- do columns.append(api.Column.create(column.name, column.data_type)) -%}
    {%- endfor -%}
    {%- set described, constraints = parse_model_columns_and_constraints(columns) -%}
    {%- call statement('create') -%}
        create or replace table {{ relation }}
        {{ get_column_and_constraints_sql(relation.enrich(constraints), described) }}
        using delta
        {{ liquid_clustered_cols() }}
        {{ comment_clause() }}
    {%- endcall -%}
    {{ apply_tags(relation, config.get('databricks_tags')) }}
{%- endmacro %}

{#- Fills a table that was just made. It overwrites, because `insert into` would double the rows if its
    reply is lost and the statement is sent again. -#}
{% macro overwrite(relation, rows) -%}
    {%- call statement('main') -%}
        insert overwrite {{ relation }} by name select * from {{ rows }}
    {%- endcall -%}
{%- endmacro %}

{#- A model's query, which fails if a column is missing or has another type than the contract says.
    The engine knows the types before it runs the query, so the condition costs nothing. The insert by
    name refuses an extra column. -#}
{% macro as_contracted(query) -%}
    {%- set conditions = [] -%}
    {%- for column in model.columns.values() if config.get('contract').enforced -%}
        {%- set type = column.data_type | lower | replace(' ', '') -%}
        {%- do conditions.append(
            "assert_true(typeof(made." ~ adapter.quote(column.name) ~ ") = '" ~ type ~ "', "
            ~ "'The contract of " ~ model.name ~ ": " ~ column.name ~ " is no " ~ type ~ "') is null"
        ) -%}
    {%- endfor -%}
select * from (
{{ query }}
) as made
{%- if conditions %}
where {{ conditions | join('\n    and ') }}
{%- endif -%}
{%- endmacro %}
