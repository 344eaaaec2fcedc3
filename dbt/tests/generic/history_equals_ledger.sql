{#- On each date of this run the history holds as many keys and cents as the ledger's stage `cleaned`. An
    extra, missing or too long version shows here. -#}
{% test history_equals_ledger(model, source_file, balance=none) %}

with

cleaned as (
    select
        as_of_date,
        row_count,
        coalesce(balance, 0) as balance
    from {{ ref('delivery_ledger') }}
    where
        {{ is_of_this_run('as_of_date') }}
        and source_file = '{{ source_file }}'
        and stage = 'cleaned'
),

in_force as (
    select
        cleaned.as_of_date,
        count(*) as row_count,
        {% if balance %}cast(sum(versions.{{ balance }}) as decimal(38, 2)){% else %}0{% endif %} as balance
    from cleaned
    inner join {{ model }} as versions
        on
            cleaned.as_of_date >= versions.valid_from
            and cleaned.as_of_date < versions.valid_to
    group by cleaned.as_of_date
)

select
    cleaned.as_of_date,
    cleaned.row_count as rows_cleaned,
    in_force.row_count as rows_in_force,
    cleaned.balance as balance_cleaned,
    in_force.balance as balance_in_force
from cleaned
left join in_force
    on cleaned.as_of_date = in_force.as_of_date
where
    cleaned.row_count != coalesce(in_force.row_count, 0)
    or cleaned.balance != coalesce(in_force.balance, 0)

{% endtest %}
