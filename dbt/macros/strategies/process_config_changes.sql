{#- What dbt-databricks does to find out whether comments, tags or constraints of an incremental table
    have changed: four queries of the information schema for each table and run, each of which takes
    seconds. Here they are changed by hand, as the project's decisions say.

    The adapter's own switch, `incremental_apply_config_changes`, is a key that dbt warns of. -#}
{% macro process_config_changes(target_relation, existing_relation=none) -%}
{%- endmacro %}
