{#- Lower the letters on which the engines disagree. Java maps the first two to two code points, or
    depending on their neighbours; the others are newer than Unicode 13, and an engine may not know
    them yet. With this macro, every release of both engines follows Unicode 17. -#}
{% macro lower_letters_apart(text) -%}
    {%- set upper, lower = [], [] -%}
    {%- for first, last, first_lower in letters_lowered_apart() -%}
        {%- for code_point in range(first, last + 1) -%}
            {%- do upper.append('%c' | format(code_point)) -%}
            {%- do lower.append('%c' | format(first_lower + code_point - first)) -%}
        {%- endfor -%}
    {%- endfor -%}
    translate({{ text }}, '{{ upper | join }}', '{{ lower | join }}')
{%- endmacro %}

{#- The capital letters of these as the inner part of a regular expression's class. -#}
{% macro ranges_lowered_apart() -%}
    {%- for first, last, first_lower in letters_lowered_apart() -%}
        {{ '%c-%c' | format(first, last) }}
    {%- endfor -%}
{%- endmacro %}

{#- First and last capital letter, and the first small one (Unicode's UnicodeData.txt). -#}
{% macro letters_lowered_apart() -%}
    {{ return([
        (0x130, 0x130, 0x69),
        (0x3A3, 0x3A3, 0x3C3),
        (0x1C89, 0x1C89, 0x1C8A),
        (0x2C2F, 0x2C2F, 0x2C5F),
        (0xA7C0, 0xA7C0, 0xA7C1),
        (0xA7CB, 0xA7CB, 0x264),
        (0xA7CC, 0xA7CC, 0xA7CD),
        (0xA7CE, 0xA7CE, 0xA7CF),
        (0xA7D0, 0xA7D0, 0xA7D1),
        (0xA7D2, 0xA7D2, 0xA7D3),
        (0xA7D4, 0xA7D4, 0xA7D5),
        (0xA7D6, 0xA7D6, 0xA7D7),
        (0xA7D8, 0xA7D8, 0xA7D9),
        (0xA7DA, 0xA7DA, 0xA7DB),
        (0xA7DC, 0xA7DC, 0x19B),
        (0x10570, 0x1057A, 0x10597),
        (0x1057C, 0x1058A, 0x105A3),
        (0x1058C, 0x10592, 0x105B3),
        (0x10594, 0x10595, 0x105BB),
        (0x10D50, 0x10D65, 0x10D70),
        (0x16EA0, 0x16EB8, 0x16EBB),
    ]) }}
{%- endmacro %}
