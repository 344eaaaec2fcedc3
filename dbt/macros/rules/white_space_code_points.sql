{#- Unicode's property White_Space: 25 code points. -#}
{% macro white_space_code_points() -%}
    {{ return(
        [9, 10, 11, 12, 13, 32, 133, 160, 5760] + range(8192, 8203) | list
        + [8232, 8233, 8239, 8287, 12288]
    ) }}
{%- endmacro %}
