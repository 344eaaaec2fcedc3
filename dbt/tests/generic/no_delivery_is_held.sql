{#- No delivery of this run is held back from the relation by its movements. -#}
{% test no_delivery_is_held(model) %}

select
    movements.as_of_date,
    movements.measure
from {{ ref('delivery_movements') }} as movements
left join {{ model }} as publishable
    on movements.as_of_date = publishable.as_of_date
where
    {{ is_of_this_run('movements.as_of_date') }}
    and movements.is_held
    and publishable.as_of_date is null

{% endtest %}
