{#- Every equation of the ledger holds for the deliveries of this run. Returns one row for each equation
    that does not, with the surplus of the stage `whole` over its parts (negative: it has less). -#}

with

lines as (
    select * from {{ ref('delivery_ledger') }}
    where {{ is_of_this_run('as_of_date') }}
),

stages as (
    select * from {{ ref('ledger_stages') }}
),

equations as (
    {{ ledger_equations('stages') }}
),

dates as (
    select distinct as_of_date from lines
),

differences as (
    select
        dates.as_of_date,
        equations.source_file,
        equations.whole,
        sum(equations.sign * coalesce(lines.row_count, 0)) as rows_missing,
        sum(equations.sign * coalesce(lines.balance, 0)) as balance_missing,
        sum(equations.sign * coalesce(lines.balance_unknown, 0)) as balance_unknown_missing,
        count(*) - count(lines.stage) as stages_missing
    from dates
    cross join equations
    left join lines
        on
            dates.as_of_date = lines.as_of_date
            and equations.source_file = lines.source_file
            and equations.stage = lines.stage
    group by dates.as_of_date, equations.source_file, equations.whole
)

select
    as_of_date,
    source_file,
    whole,
    rows_missing,
    balance_missing,
    balance_unknown_missing
from differences
where
    rows_missing != 0
    or balance_missing != 0
    or balance_unknown_missing != 0
    or stages_missing != 0
