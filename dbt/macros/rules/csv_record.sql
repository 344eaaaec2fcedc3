{#- Some text columns as one CSV record (RFC 4180), quoted where DuckDB's writer quotes. -#}
{% macro csv_record(columns) -%}
    {%- for column in columns -%}
        case
            when {{ has_csv_special(column) }} then '"' || replace({{ column }}, '"', '""') || '"'
            else {{ column }}
        end{{ " || ',' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
