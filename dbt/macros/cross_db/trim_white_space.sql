{#- Remove Unicode white space from both ends of a text. -#}
{% macro trim_white_space(text) -%}
    {{ return(adapter.dispatch('trim_white_space')(text)) }}
{%- endmacro %}

{#- DuckDB trims a set of characters slowly (0.75 CPU s per million texts), so the set is used only if
    the first or last character is not printable ASCII. The last character is tested first, for all
    texts at once: testing it only for texts that passed the other test costs twice as much. -#}
{% macro duckdb__trim_white_space(text) -%}
    case
        when {{ is_tidy(text) }} then {{ text }}
        else trim({{ text }}, {{ white_space_characters() }})
    end
{%- endmacro %}

{% macro databricks__trim_white_space(text) -%}
    trim(both {{ white_space_characters() }} from {{ text }})
{%- endmacro %}
