{#- A name in lower case with single spaces; NULL where there is none.

    The first branch is the common case and only faster: it gives what the second would. -#}
{% macro normalise_name(text) -%}
    case
        when {{ is_tidy_name(text) }} then {{ lower_each_code_point(text) }}
        else nullif(
            {{ lower_each_code_point(collapse_white_space(trim_white_space(text))) }}, ''
        )
    end
{%- endmacro %}

{% macro is_tidy_name(text) -%}
    {{ text }} != '' and not {{ has_untidy_white_space(text) }}
{%- endmacro %}
