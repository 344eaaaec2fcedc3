{#- Lower case, one code point at a time: capital I with dot becomes i, every sigma the inner one. -#}
{% macro lower_each_code_point(text) -%}
    {{ return(adapter.dispatch('lower_each_code_point')(text)) }}
{%- endmacro %}

{% macro duckdb__lower_each_code_point(text) -%}
    lower({{ text }})
{%- endmacro %}

{#- Java maps these two by their neighbours, or to two code points. -#}
{% macro databricks__lower_each_code_point(text) -%}
    lower(translate({{ text }}, '\u0130\u03a3', 'i\u03c3'))
{%- endmacro %}
