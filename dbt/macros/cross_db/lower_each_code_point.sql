{#- Lower case, one code point at a time: capital I with dot becomes i, every sigma the inner one. -#}
{% macro lower_each_code_point(text) -%}
    {{ return(adapter.dispatch('lower_each_code_point')(text)) }}
{%- endmacro %}

{#- `translate` is slow in DuckDB (4 µs a text), so it is used only for texts that need it: few texts
    are not ASCII (more bytes than letters), and hardly any of these holds such a letter. -#}
{% macro duckdb__lower_each_code_point(text) -%}
    case
        when strlen({{ text }}) = length({{ text }}) then lower({{ text }})
        when regexp_matches({{ text }}, '[{{ ranges_lowered_apart() }}]')
            then lower({{ lower_letters_apart(text) }})
        else lower({{ text }})
    end
{%- endmacro %}

{% macro databricks__lower_each_code_point(text) -%}
    lower({{ lower_letters_apart(text) }})
{%- endmacro %}
