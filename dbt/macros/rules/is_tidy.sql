{#- Whether a text begins and ends with printable ASCII. Most texts do, and need no trimming. -#}
{% macro is_tidy(text) -%}
    {{ text }}[-1] between '!' and '~' and {{ text }} between '!' and '~'
{%- endmacro %}
