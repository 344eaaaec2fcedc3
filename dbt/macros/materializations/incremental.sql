{#- An incremental table on Databricks: one statement per run. dbt-databricks makes a view of the query,
    describes the view and the table, and compares them before the insert; here the statement itself
    checks the contract, see `as_contracted`.

    Comments, tags and clustering are those of the first run; docs/decisions.md says how they change. -#}
{% materialization incremental, adapter='lendingclubdatabricks' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {%- set rows = '(' ~ as_contracted(sql) ~ ')' -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is none -%}
        {{ create_as_contracted(target) }}
        {{ overwrite(target, rows) }}
    {%- else -%}
        {%- set strategy = config.require('incremental_strategy') -%}
        {%- call statement('main') -%}
            {{ adapter.get_incremental_strategy_macro(context, strategy)({
                'target_relation': target,
                'temp_relation': rows,
                'unique_key': config.get('unique_key'),
            }) }}
        {%- endcall -%}
    {%- endif -%}
    {%- do apply_grants(target, config.get('grants'), existing is not none) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
