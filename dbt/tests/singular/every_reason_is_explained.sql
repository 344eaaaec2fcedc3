{#- Sets of reasons that hold one that the seed does not know: the codes that it knows are shorter than
    the set, counted with the separator behind each. -#}

with

sets as (
    select distinct
        as_of_date,
        source_file,
        stage,
        reasons
    from {{ ref('quarantined_records') }}
    where {{ is_of_this_run('as_of_date') }}
)

select
    sets.as_of_date,
    sets.source_file,
    sets.stage,
    sets.reasons
from sets
left join {{ ref('quarantine_reasons') }} as known
    on contains(';' || sets.reasons || ';', ';' || known.code || ';')
group by sets.as_of_date, sets.source_file, sets.stage, sets.reasons
having coalesce(sum(length(known.code) + 1), 0) != length(sets.reasons) + 1
