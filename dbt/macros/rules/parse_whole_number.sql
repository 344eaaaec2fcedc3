{% macro largest_bigint() %}'9223372036854775807'{% endmacro %}

{#- A whole number from 1 to 2^63-1 as bigint if it is written plainly; NULL for any other text,
    which `parse_odd_whole_number` looks at. -#}
{% macro parse_plain_whole_number(text) -%}
    {{ return(adapter.dispatch('parse_plain_whole_number')(text)) }}
{%- endmacro %}

{#- Text that is the engine's own writing of a number: cheaper than a regular expression. -#}
{% macro duckdb__parse_plain_whole_number(text) -%}
    {%- set number = "try_cast(" ~ text ~ " as bigint)" -%}
    case when {{ text }} = cast({{ number }} as varchar) and {{ number }} > 0 then {{ number }} end
{%- endmacro %}

{% macro databricks__parse_plain_whole_number(text) -%}
    case when {{ matches(text, '[1-9][0-9]{0,17}') }} then cast({{ text }} as bigint) end
{%- endmacro %}

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
