{#- The business date that this run processes: the variable `as_of_date`, else the newest landed. -#}
{% macro as_of_date() -%}
    {%- if var('as_of_date', none) -%}
        cast('{{ var("as_of_date") }}' as date)
    {%- else -%}
        (select max(as_of_date) from {{ source('lending_club', 'delivered_files') }})
    {%- endif -%}
{%- endmacro %}

{#- Restricts a relation to what this run processes; the only place that knows how much that is. -#}
{% macro is_of_this_run(column) -%}
    {{ column }} = {{ as_of_date() }}
{%- endmacro %}
