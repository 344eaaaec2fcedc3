{#- The 25 code points of Unicode's White_Space property, as one text literal. -#}
{% macro white_space_characters() -%}
    {{ return(adapter.dispatch('white_space_characters')()) }}
{%- endmacro %}

{#- The characters themselves: an expression of chr() twenty-five times would make the compiled SQL of
    the base models twice as long. -#}
{% macro duckdb__white_space_characters() -%}
    '{%- for code_point in white_space_code_points() -%}
        {{ '%c' | format(code_point) }}
    {%- endfor -%}'
{%- endmacro %}

{#- Spark's literals know \u escapes. -#}
{% macro databricks__white_space_characters() -%}
    '{%- for code_point in white_space_code_points() -%}
        \u{{ '%04x' | format(code_point) }}
    {%- endfor -%}'
{%- endmacro %}
