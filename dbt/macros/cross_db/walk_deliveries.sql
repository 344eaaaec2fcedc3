{#- Return each delivery of this run with the earlier delivery that it is compared with: one row per
    delivery, columns as in `walked_columns`. A delivery is never compared with a held one, so the macro
    walks over the deliveries one by one, oldest first, in memory. The relation has one row per date,
    which is its first column. -#}
{% macro walk_deliveries(relation) -%}
    {{ return(adapter.dispatch('walk_deliveries')(relation)) }}
{%- endmacro %}

{% macro duckdb__walk_deliveries(relation) -%}
    {%- set types = [] -%}
    {%- for name, type in walked_columns().items() -%}
        {%- do types.append(name ~ ' ' ~ type) -%}
    {%- endfor -%}
    select unnest(walk.steps, recursive := true)
    from (
        select
            list_reduce(
                list(known order by as_of_date),
                lambda walked, day: struct_pack(
                    {%- for name in remembered_columns() %}
                    {{ name }} := case
                        when {{ is_passed_over('walked', 'day') }} then walked.{{ name }}
                        else day.{{ name }}
                    end,
                    {%- endfor %}
                    steps := case
                        when not day.is_of_this_run then walked.steps
                        else list_append(
                            walked.steps,
                            struct_pack(
                                {%- for name in remembered_columns() %}
                                {{ name }} := day.{{ name }},
                                {{ name }}_before := walked.{{ name }}
                                {{- ',' if not loop.last }}
                                {%- endfor %}
                            )
                        )
                    end
                ),
                struct_pack(
                    {%- for name, type in remembered_columns().items() %}
                    {{ name }} := cast(null as {{ type }}),
                    {%- endfor %}
                    steps := cast([] as struct({{ types | join(', ') }})[])
                )
            ) as walk
        from {{ relation }} as known
    ) as walks
{%- endmacro %}

{% macro databricks__walk_deliveries(relation) -%}
    {%- set types = [] -%}
    {%- for name, type in walked_columns().items() -%}
        {%- do types.append(name ~ ': ' ~ type) -%}
    {%- endfor -%}
    select inline(walk.steps)
    from (
        select
            aggregate(
                array_sort(collect_list(struct(known.*))),
                named_struct(
                    {%- for name, type in remembered_columns().items() %}
                    '{{ name }}', cast(null as {{ type }}),
                    {%- endfor %}
                    'steps', cast(array() as array<struct<{{ types | join(', ') }}>>)
                ),
                (walked, day) -> named_struct(
                    {%- for name in remembered_columns() %}
                    '{{ name }}', case
                        when {{ is_passed_over('walked', 'day') }} then walked.{{ name }}
                        else day.{{ name }}
                    end,
                    {%- endfor %}
                    'steps', case
                        when not day.is_of_this_run then walked.steps
                        else concat(
                            walked.steps,
                            array(named_struct(
                                {%- for name in remembered_columns() %}
                                '{{ name }}', day.{{ name }},
                                '{{ name }}_before', walked.{{ name }}
                                {{- ',' if not loop.last }}
                                {%- endfor %}
                            ))
                        )
                    end
                )
            ) as walk
        from {{ relation }} as known
    ) as walks
{%- endmacro %}
