{#- Every row and every cent that came is where the ledger says: no equation is open for the
    deliveries of this run. -#}
{% test ledger_closes(model) %}

select *
from (
    {{ ledger_differences('(select * from ' ~ model ~ ' where ' ~ is_of_this_run('as_of_date') ~ ') as ledger') }}
) as differences

{% endtest %}
