{#- A name in lower case with single spaces; NULL if it is empty.

    The first branch is a faster path for the common case, with the same result as the second. -#}
{% macro normalise_name(text) -%}
    case
        when not {{ is_empty_or_untidy(text) }} then {{ lower_each_code_point(text) }}
        else nullif(
            {{ lower_each_code_point(collapse_white_space(trim_white_space(text))) }}, ''
        )
    end
{%- endmacro %}
