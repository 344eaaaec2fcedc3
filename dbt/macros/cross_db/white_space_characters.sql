{#- The 25 code points of Unicode's White_Space property, as one text literal. -#}
{% macro white_space_characters() -%}
    {{ return(adapter.dispatch('white_space_characters')()) }}
{%- endmacro %}

{% macro white_space_code_points() -%}
    {{ return(
        [9, 10, 11, 12, 13, 32, 133, 160, 5760] + range(8192, 8203) | list
        + [8232, 8233, 8239, 8287, 12288]
    ) }}
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
