{#- The measures that are compared between deliveries: columns of int_deliveries_measured. -#}
{% macro movement_measures() -%}
    {{ return(['balance', 'interest', 'accounts', 'quarantined']) }}
{%- endmacro %}

{#- The largest change of a measure in percent, or NULL without a limit. It comes from the setting
    MOVEMENT_LIMITS. -#}
{% macro movement_limit(measure) -%}
    {%- set limits = var('movement_limits', none) or {} -%}
    {%- if measure in limits -%}
        cast('{{ limits[measure] }}' as decimal(8, 2))
    {%- else -%}
        cast(null as decimal(8, 2))
    {%- endif -%}
{%- endmacro %}

{#- Whether a number changed by more than a limit in percent, or from zero. There is no division, so
    nothing is rounded. -#}
{% macro moves_beyond(before, now, limit) -%}
    coalesce(
        cast(abs({{ now }} - {{ before }}) as decimal(28, 2)) * 100
        > {{ limit }} * cast({{ before }} as decimal(28, 2)),
        false
    )
{%- endmacro %}

{#- The measures and their limits, as a relation. -#}
{% macro limited_measures() -%}
    {%- for measure in movement_measures() %}
    select
        '{{ measure }}' as measure,
        {{ movement_limit(measure) }} as limit_percent
        {{- ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The remembered values of the delivery with which the next one is compared. -#}
{% macro remembered_columns() -%}
    {%- set columns = {'as_of_date': 'date'} -%}
    {%- for measure in movement_measures() -%}
        {%- do columns.update({measure: 'decimal(38, 2)'}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- The result of the walk: a delivery's own values, then those of the delivery that it is compared with. -#}
{% macro walked_columns() -%}
    {%- set columns = {} -%}
    {%- for name, type in remembered_columns().items() -%}
        {%- do columns.update({name: type, name ~ '_before': type}) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}

{#- Whether `day` is held, so that the next delivery is compared with an earlier one. -#}
{% macro is_passed_over(walked, day) -%}
    {{ day }}.is_held_before
    or ({{ day }}.is_of_this_run and not {{ day }}.is_approved and (
        {%- for measure in movement_measures() %}
        {{ moves_beyond(walked ~ '.' ~ measure, day ~ '.' ~ measure, movement_limit(measure)) }}
        {{- ' or' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}
