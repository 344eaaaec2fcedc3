{#- Whether a text holds white space other than single spaces between its words. -#}
{% macro has_untidy_white_space(text) -%}
    {{ return(adapter.dispatch('has_untidy_white_space')(text)) }}
{%- endmacro %}

{% macro duckdb__has_untidy_white_space(text) -%}
    regexp_matches({{ text }}, '^ | $|  |[' || replace({{ white_space_characters() }}, ' ', '') || ']')
{%- endmacro %}

{#- The end of a text is \z: a dollar sign would also match before a last line feed. -#}
{% macro databricks__has_untidy_white_space(text) -%}
    regexp_like(
        {{ text }},
        concat(r'\A | \z|  |[', replace({{ white_space_characters() }}, ' ', ''), ']')
    )
{%- endmacro %}
