{% macro largest_bigint() %}'9223372036854775807'{% endmacro %}

{#- A whole number from 1 to 2^63-1 as bigint; NULL for any other text. Leading zeros are allowed.

    The first branch is the common case and only faster: it gives what the second would. -#}
{% macro parse_whole_number(text) -%}
    {%- set trimmed = trim_white_space(text) -%}
    {%- set significant = "trim(leading '0' from " ~ trimmed ~ ")" -%}
    case
        when {{ matches(text, '[1-9][0-9]{0,17}') }} then cast({{ text }} as bigint)
        when {{ matches(trimmed, '0*[1-9][0-9]{0,18}') }}
            then case
                when length({{ significant }}) < 19 or {{ significant }} <= {{ largest_bigint() }}
                    then cast({{ significant }} as bigint)
            end
    end
{%- endmacro %}
