{#- No version begins on a date of this run while another version of its key is valid. If no version
    begins then, only the dates are read: a first delivery costs no join. -#}
{% test versions_do_not_overlap(model, key) %}

select
    begun.{{ key }},
    begun.valid_from,
    others.valid_from as other_valid_from,
    others.valid_to as other_valid_to
from {{ model }} as begun
inner join {{ model }} as others
    on
        begun.{{ key }} = others.{{ key }}
        and begun.valid_from > others.valid_from
        and begun.valid_from < others.valid_to
where
    {{ is_of_this_run('begun.valid_from') }}
    and others.valid_from < (
        select max(as_of_date) from ({{ dates_of_this_run() }}) as dates
    )

{% endtest %}
