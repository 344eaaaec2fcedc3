{#- No delivery of this run is held because of its movements. -#}

select
    movements.as_of_date,
    movements.measure
from {{ ref('delivery_movements') }} as movements
left join {{ ref('publishable_deliveries') }} as publishable
    on movements.as_of_date = publishable.as_of_date
where
    {{ is_of_this_run('movements.as_of_date') }}
    and movements.is_held
    and publishable.as_of_date is null
