{#- The days for which a history is compared. This run can change the difference of a key from the day
    before only on a day that it processes, or on the next known day after one. -#}

{#- The business dates that the run was given, as ISO texts, in order; perhaps none. -#}
{% macro given_days() -%}
    {%- set given = var('as_of_dates', none) or [var('as_of_date', none)] -%}
    {{ return(given | select | map('string') | unique | sort | list) }}
{%- endmacro %}

{#- The business dates that the run processes, as ISO texts in their order. -#}
{% macro days_of_this_run() -%}
    {%- set days = given_days() -%}
    {%- if not days -%}
        {%- set newest = 'select max(as_of_date) as newest from '
            ~ source('lending_club', 'delivered_files') -%}
        {%- set days = run_query(newest).columns[0].values() | map('string') | list -%}
    {%- endif -%}
    {{ return(days) }}
{%- endmacro %}

{#- ISO texts: `closed`, the deliveries whose ledger closes, and `points`, the dates at which a
    version of this model begins or ends. Points count as known even if a restated delivery does not
    close: the history of such a day stays until it does. -#}
{% macro days_of_history(ledger) -%}
    {%- set days = {'closed': [], 'points': []} -%}
    {%- set query -%}
        select distinct as_of_date as known_date, 'closed' as kind from {{ ledger }} where is_closed
        union all
        select distinct valid_from as known_date, 'points' as kind from {{ this }}
        union all
        select distinct valid_to as known_date, 'points' as kind from {{ this }}
        where not is_current
    {%- endset -%}
    {%- for row in run_query(query).rows -%}
        {%- do days[row[1]].append(row[0] | string) -%}
    {%- endfor -%}
    {{ return(days) }}
{%- endmacro %}

{#- Days at which states are compared, in order: `day`, `is_of_run`, and the same for the known day before
    it (`previous`, `previous_is_of_run`). -#}
{% macro days_to_compare(run_days, known_days) -%}
    {%- set in_order = (run_days + known_days) | unique | sort | list -%}
    {%- set compared = [] -%}
    {%- for day in in_order -%}
        {%- set previous = in_order[loop.index0 - 1] if loop.index0 else none -%}
        {%- if day in run_days or previous in run_days -%}
            {%- do compared.append({
                'day': day,
                'is_of_run': day in run_days,
                'previous': previous,
                'previous_is_of_run': previous in run_days,
            }) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(compared) }}
{%- endmacro %}

{#- A list of ISO texts as SQL dates. -#}
{% macro as_dates(days) -%}
    {%- for day in days -%}
        cast('{{ day }}' as date){{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
