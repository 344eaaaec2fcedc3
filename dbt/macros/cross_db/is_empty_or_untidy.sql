{#- Whether a text is empty, or holds white space other than single spaces between its words. One
    condition: with two, DuckDB would compute a text that is an expression twice. -#}
{% macro is_empty_or_untidy(text) -%}
    {{ return(adapter.dispatch('is_empty_or_untidy')(text)) }}
{%- endmacro %}

{% macro duckdb__is_empty_or_untidy(text) -%}
    regexp_matches({{ text }}, '^$|^ | $|  |[' || replace({{ white_space_characters() }}, ' ', '') || ']')
{%- endmacro %}

{#- The end of a text is \z: a dollar sign would also match before a last line feed. -#}
{% macro databricks__is_empty_or_untidy(text) -%}
    regexp_like(
        {{ text }},
        concat(r'\A\z|\A | \z|  |[', replace({{ white_space_characters() }}, ' ', ''), ']')
    )
{%- endmacro %}
