{#- Whether a whole text matches a regular expression. The pattern may not hold a backslash:
    write [.] and [$]. -#}
{% macro matches(text, pattern) -%}
    {{ return(adapter.dispatch('matches')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}

{#- A dollar sign would also match before a last line feed. -#}
{% macro databricks__matches(text, pattern) -%}
    regexp_like({{ text }}, r'\A(?:{{ pattern }})\z')
{%- endmacro %}
