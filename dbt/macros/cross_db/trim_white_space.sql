{#- Remove Unicode white space from both ends of a text. -#}
{% macro trim_white_space(text) -%}
    {{ return(adapter.dispatch('trim_white_space')(text)) }}
{%- endmacro %}

{#- DuckDB trims a set of characters slowly (0.75 CPU s per million texts), so that the set is
    looked at only where the first or last character is not printable ASCII. Comparing texts is the
    cheapest look at their first character. -#}
{% macro duckdb__trim_white_space(text) -%}
    case
        when {{ text }} between '!' and '~' and ascii({{ text }}[-1]) between 33 and 126
            then {{ text }}
        else trim({{ text }}, {{ white_space_characters() }})
    end
{%- endmacro %}

{% macro databricks__trim_white_space(text) -%}
    trim(both {{ white_space_characters() }} from {{ text }})
{%- endmacro %}
