{#- A table on Databricks that each run makes anew: by one statement if it has no contract, else it is
    created and then filled. -#}
{% materialization table, adapter='lendingclubdatabricks' %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set existing = load_cached_relation(this) -%}
    {{ run_hooks(pre_hooks) }}
    {%- if existing is not none and existing.type != 'table' -%}
        {%- do adapter.drop_relation(existing) -%}
    {%- endif -%}
    {%- if config.get('contract').enforced -%}
        {{ create_as_contracted(target) }}
        {{ overwrite(target, '(' ~ as_contracted(sql) ~ ')') }}
    {%- else -%}
        {%- call statement('main') -%}
            create or replace table {{ target }} using delta as
            {{ sql }}
        {%- endcall -%}
    {%- endif -%}
    {%- do apply_grants(target, config.get('grants'), existing is not none) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}
