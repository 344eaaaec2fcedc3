{#- No two rows share a key. Hashes are grouped first and only rows whose hash occurs twice are
    compared: grouping ten million keys of text takes twice as long. -#}
{% test unique_key(model, columns) %}

with

repeated_hashes as (
    select key_hash
    from (select {{ hash_of(columns) }} as key_hash from {{ model }}) as hashed
    group by key_hash
    having count(*) > 1
)

select
    {{ columns | join(', ') }},
    count(*) as copies
from {{ model }}
where {{ hash_of(columns) }} in (select key_hash from repeated_hashes)
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
