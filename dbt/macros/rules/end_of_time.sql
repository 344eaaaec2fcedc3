{#- The `valid_to` of a version that is valid until further notice. -#}
{% macro end_of_time() -%}
    cast('9999-12-31' as date)
{%- endmacro %}
