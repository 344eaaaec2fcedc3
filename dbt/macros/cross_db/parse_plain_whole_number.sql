{#- A whole number from 1 to 2^63-1 as bigint if it is written plainly; NULL for any other text, which
    `parse_odd_whole_number` parses. -#}
{% macro parse_plain_whole_number(text) -%}
    {{ return(adapter.dispatch('parse_plain_whole_number')(text)) }}
{%- endmacro %}

{#- Compare the text with the printed number: cheaper than a regular expression. -#}
{% macro duckdb__parse_plain_whole_number(text) -%}
    {%- set number = "try_cast(" ~ text ~ " as bigint)" -%}
    case when {{ text }} = cast({{ number }} as varchar) and {{ number }} > 0 then {{ number }} end
{%- endmacro %}

{% macro databricks__parse_plain_whole_number(text) -%}
    case when {{ matches(text, '[1-9][0-9]{0,17}') }} then cast({{ text }} as bigint) end
{%- endmacro %}
