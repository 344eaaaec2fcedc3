{% macro largest_bigint() %}'9223372036854775807'{% endmacro %}

{#- A trimmed text as bigint if it is a whole number from 1 to 2^63-1, leading zeros allowed. -#}
{% macro parse_odd_whole_number(trimmed) -%}
    {%- set significant = "trim(leading '0' from " ~ trimmed ~ ")" -%}
    case
        when
            {{ matches(trimmed, '0*[1-9][0-9]{0,18}') }}
            and (
                length({{ significant }}) < 19 or {{ significant }} <= {{ largest_bigint() }}
            )
            then cast({{ significant }} as bigint)
    end
{%- endmacro %}
