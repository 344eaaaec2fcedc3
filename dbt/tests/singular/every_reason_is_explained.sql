{#- Sets of reasons with a reason that the seed does not have: then the known codes, each with its
    separator, are shorter than the set. -#}

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
