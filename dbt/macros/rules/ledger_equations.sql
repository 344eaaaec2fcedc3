{#- The equations of the ledger: each stage is the sum of its parts. The relation has one row for each
    stage in an equation; `whole` names the equation, `sign` is 1 for the whole and -1 for a part. An
    equation holds if its signed values add up to zero.

    stages: relation of the seed ledger_stages. -#}
{% macro ledger_equations(stages) -%}
    select
        source_file,
        part_of as whole,
        stage,
        -1 as sign
    from {{ stages }}
    where part_of != ''
    union all
    select distinct
        source_file,
        part_of as whole,
        part_of as stage,
        1 as sign
    from {{ stages }}
    where part_of != ''
{%- endmacro %}
