{#- No two rows share a key. Only rows whose hash occurs twice are compared: grouping ten million
    keys of text takes twice as long.

    records: a relation that marks the records that may share a key (`may_share_key`, by
        `record_number`); only these are compared.
    judged: name of the model with the judged records, which hold all that may share a key. -#}
{% test unique_key(model, columns, records=none, judged=none) %}

select
    {{ columns | join(', ') }},
    count(*) as copies
from {{ cleaned_and_not_plain(model, judged) if judged else model }}
where
    {% if records -%}
        record_number in (select found.record_number from {{ records }} as found where found.may_share_key)
    {%- else -%}
        {{ hash_of(columns) }} in (
            select twice.key_hash from ({{ repeated_hashes(model, columns) }}) as twice
        )
    {%- endif %}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
