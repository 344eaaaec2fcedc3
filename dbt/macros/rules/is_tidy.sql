{#- Does a text begin and end with printable ASCII? Most do, and need no trimming. -#}
{% macro is_tidy(text) -%}
    {{ text }}[-1] between '!' and '~' and {{ text }} between '!' and '~'
{%- endmacro %}
