{#- No two rows share a key. Only rows whose hash occurs twice are compared: grouping ten million
    keys of text takes twice as long. -#}
{% test unique_key(model, columns) %}

with

repeated_hashes as (
    {{ repeated_hashes(model, columns) }}
)

select
    {{ columns | join(', ') }},
    count(*) as copies
from {{ model }}
where {{ hash_of(columns) }} in (select key_hash from repeated_hashes)
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
