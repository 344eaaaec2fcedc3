{#- The newest delivery of the relation still has the values with which its movements were measured: no
    interrupted run of its date has replaced it since. -#}

select
    measured.as_of_date,
    movements.measure
from {{ ref('int_deliveries_measured') }} as measured
inner join {{ ref('delivery_movements') }} as movements
    on measured.as_of_date = movements.as_of_date
where
    measured.as_of_date = (select max(publishable.as_of_date) from {{ ref('publishable_deliveries') }} as publishable)
    and movements.value_now != case movements.measure
        {%- for measure in movement_measures() %}
        when '{{ measure }}' then measured.{{ measure }}
        {%- endfor %}
    end
