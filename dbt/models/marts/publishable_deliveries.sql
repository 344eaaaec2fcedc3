{{ config(materialized='view') }}

select ledger.as_of_date
from {{ ref('delivery_ledger') }} as ledger
where
    ledger.as_of_date not in (
        select movements.as_of_date
        from {{ ref('delivery_movements') }} as movements
        where movements.is_held
    )
group by ledger.as_of_date
having min(case when ledger.is_closed then 1 else 0 end) = 1
