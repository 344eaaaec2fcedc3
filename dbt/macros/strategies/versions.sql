{#- The versions of a history that this run changes, for the strategy `merge_versions`: new versions,
    versions with a changed end or state, and deleted versions, marked by `valid_to` = `valid_from`.

    The cost grows with the changes, plus one hash join for each compared day. The usual run, one delivery
    that is newer than all others, needs nothing else.

    delivered: relation with the states of the run's dates, by `as_of_date`.
    ledger: relation of the delivery ledger.
    key: column that names what has versions.
    state: columns that make a version another one. -#}
{% macro versions_of_this_run(delivered, ledger, key, state) -%}
    {%- if not is_incremental() -%}
        {{ first_versions(delivered, key, state, given_days()) }}
    {%- else -%}
        {%- set run_days = days_of_this_run() -%}
        {%- set days = days_of_history(ledger) -%}
        {%- set others = (days.closed | reject('in', run_days) | list) + days.points -%}
        {%- if run_days | length == 1 and run_days[0] > (others | max | default('', true)) -%}
            {{ versions_of_newest_day(delivered, key, state, run_days[0]) }}
        {%- else -%}
            {{ versions_changed(
                delivered, this, key, state, days_to_compare(run_days, days.closed + days.points)
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- A new history: the first of the run's dates serves as the known state before the others. -#}
{% macro first_versions(delivered, key, state, run_days) -%}
    {%- if run_days | length <= 1 -%}
        {{ versions_of_one_day(delivered, key, state) }}
    {%- else -%}
        {%- set first -%}
(
    {{ versions_of_one_day(delivered, key, state) | trim }}
    where as_of_date = {{ as_dates(run_days[:1]) }}
)
        {%- endset -%}
        {{ versions_changed(
            delivered, first ~ ' as first_day', key, state, days_to_compare(run_days, [])[1:], true
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro versions_of_one_day(delivered, key, state) -%}
    select
        {{ key }},
        {{ state | join(', ') }},
        as_of_date as valid_from,
        {{ end_of_time() }} as valid_to,
        true as is_current
    from {{ delivered }}
{%- endmacro %}

{#- A day after all known days: each key that differs closes its current version, opens a new one, or
    both. -#}
{% macro versions_of_newest_day(delivered, key, state, day) -%}
    select
        coalesce(earlier.{{ key }}, later.{{ key }}) as {{ key }},
        {%- for column in state %}
        case when sides.is_new then later.{{ column }} else earlier.{{ column }} end as {{ column }},
        {%- endfor %}
        case when sides.is_new then {{ as_dates([day]) }} else earlier.valid_from end as valid_from,
        case when sides.is_new then {{ end_of_time() }} else {{ as_dates([day]) }} end as valid_to,
        sides.is_new as is_current
    from (
        select * from {{ this }}
        where is_current
    ) as earlier
    full outer join (
        {{ state_on(delivered, key, state, day) }}
    ) as later
        on earlier.{{ key }} = later.{{ key }}
    cross join (select true as is_new union all select false as is_new) as sides
    where
        ({{ states_differ('earlier', 'later', key, state) }})
        and case
            when sides.is_new then later.{{ key }} is not null
            else earlier.{{ key }} is not null
        end
{%- endmacro %}

{#- Any days. `known` are the versions before; with `is_first` all versions are returned, not only the
    changed ones. The history is read at each use: as a common table expression, DuckDB would keep all
    of it in memory. -#}
{% macro versions_changed(delivered, known, key, state, compared, is_first=false) -%}
    {%- set days = as_dates(compared | map(attribute='day')) -%}
    {%- set before = 'known' if is_first else known -%}
with
{% if is_first %}
known as (
    select * from {{ known }}
),
{% endif %}
{#- The state of a key from a day on, if it differs from the known day before. #}
changes as (
    {%- for it in compared %}
    {{ changes_on(delivered, before, key, state, it) }}
        {{- "\n    union all" if not loop.last }}
    {%- endfor %}
),

touched as (
    select {{ key }} from changes
    {%- if not is_first %}
    union distinct
    select {{ key }} from {{ before }}
    where valid_from in ({{ days }}) or valid_to in ({{ days }})
    {%- endif %}
),

old_versions as (
    select
        *,
        lead(valid_from) over (partition by {{ key }} order by valid_from) as next_valid_from
    from {{ before }}
    where {{ key }} in (select touched.{{ key }} from touched)
),

{#- `changes` replaces the turns of compared days; all other turns stay. #}
turns as (
    select {{ key }}, {{ state | join(', ') }}, valid_from, true as is_there
    from old_versions
    where valid_from not in ({{ days }})
    union all
    select {{ key }}, {{ state | join(', ') }}, valid_to as valid_from, false as is_there
    from old_versions
    where
        valid_to not in ({{ days }}, {{ end_of_time() }})
        and (next_valid_from is null or next_valid_from != valid_to)
    union all
    select {{ key }}, {{ state | join(', ') }}, valid_from, is_there
    from changes
),

in_order as (
    select
        *,
        coalesce(
            lead(valid_from) over (partition by {{ key }} order by valid_from), {{ end_of_time() }}
        ) as valid_to
    from turns
),

new_versions as (
    select * from in_order
    where is_there
)
{% if is_first %}
select
    {{ key }},
    {{ state | join(', ') }},
    valid_from,
    valid_to,
    is_current
from known
where not exists (select 1 from touched where touched.{{ key }} = known.{{ key }})
union all
select
    {{ key }},
    {{ state | join(', ') }},
    valid_from,
    valid_to,
    valid_to = {{ end_of_time() }} as is_current
from new_versions
{%- else %}
select
    coalesce(later.{{ key }}, earlier.{{ key }}) as {{ key }},
    {%- for column in state %}
    case when later.{{ key }} is null then earlier.{{ column }} else later.{{ column }} end
        as {{ column }},
    {%- endfor %}
    coalesce(later.valid_from, earlier.valid_from) as valid_from,
    coalesce(later.valid_to, earlier.valid_from) as valid_to,
    coalesce(later.valid_to = {{ end_of_time() }}, false) as is_current
from old_versions as earlier
full outer join new_versions as later
    on earlier.{{ key }} = later.{{ key }} and earlier.valid_from = later.valid_from
where
    earlier.valid_to is distinct from later.valid_to
    or {{ states_differ('earlier', 'later', key, state) }}
{%- endif %}
{%- endmacro %}

{#- Keys whose state on a day differs from that on the known day before. -#}
{% macro changes_on(delivered, known, key, state, compared) -%}
    {%- set day = as_dates([compared.day]) -%}
    select
        coalesce(earlier.{{ key }}, later.{{ key }}) as {{ key }},
        {%- for column in state %}
        later.{{ column }},
        {%- endfor %}
        {{ day }} as valid_from,
        later.{{ key }} is not null as is_there
    from (
        {%- if compared.previous_is_of_run %}
        {{ state_on(delivered, key, state, compared.previous) }}
        {%- else %}
        select {{ key }}, {{ state | join(', ') }} from {{ known }}
        where valid_from < {{ day }} and valid_to >= {{ day }}
        {%- endif %}
    ) as earlier
    full outer join (
        {%- if compared.is_of_run %}
        {{ state_on(delivered, key, state, compared.day) }}
        {%- else %}
        select {{ key }}, {{ state | join(', ') }} from {{ known }}
        where valid_from <= {{ day }} and valid_to > {{ day }}
        {%- endif %}
    ) as later
        on earlier.{{ key }} = later.{{ key }}
    where {{ states_differ('earlier', 'later', key, state) }}
{%- endmacro %}

{% macro state_on(delivered, key, state, day) -%}
    select {{ key }}, {{ state | join(', ') }} from {{ delivered }}
        where as_of_date = {{ as_dates([day]) }}
{%- endmacro %}

{% macro states_differ(one, other, key, state) -%}
    {%- for column in [key] + state -%}
        {{ one }}.{{ column }} is distinct from {{ other }}.{{ column }}
        {{- " or " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
