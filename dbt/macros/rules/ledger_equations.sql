{#- The equations of the ledger, as a relation of the stages in them: a stage is the sum of the stages
    that are a part of it. One row for each stage of an equation, which `whole` names; `sign` is 1 for
    the whole and -1 for a part, so that an equation holds if its signed values add up to nothing.

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
