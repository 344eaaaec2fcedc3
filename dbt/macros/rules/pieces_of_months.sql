{#- Facts about the months of this run at compile time: dates as literals, and whether an `account`, a
    `customer` or a `rate` changed within the month; empty if the tables do not exist yet,
    and on Databricks, where they would cost one more statement. With literals DuckDB reads only the
    needed part of the histories, and joins them only by their keys.

    ledger, history, customers: relations of the delivery ledger and of both histories.
    rates: relations of the seeds with rates. -#}
{% macro known_periods(ledger, history, customers, rates) -%}
    {%- set known = [] -%}
    {%- if execute and target.type == 'duckdb' and load_relation(ledger) and load_relation(history) -%}
        {%- for row in run_query('with ' ~ ctes_of_periods(ledger, history) ~ ' select * from periods') -%}
            {%- set days = as_dates([row[0]]), as_dates([row[1]]), as_dates([row[2]]) -%}
            {%- set period = {'month': days[0], 'as_of_date': days[1], 'first_day': days[2]} -%}
            {%- set changed -%}
                select
                    exists(
                        select 1 from {{ history }} as accounts
                        where {{ stays('accounts', 'other', period) }}
                    ) as accounts,
                    exists(
                        select 1 from {{ customers }} as customers
                        where {{ stays('customers', 'other', period) }}
                    ) as customers,
                    false
                    {%- for seed in rates %}
                    or exists(
                        select 1 from {{ seed }}
                        where effective_date > {{ period.month }} and effective_date <= {{ period.as_of_date }}
                    )
                    {%- endfor %} as rates
            {%- endset -%}
            {%- set answers = run_query(changed).rows[0] -%}
            {%- do known.append(dict(
                period, account=answers[0], customer=answers[1], rate=answers[2]
            )) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(known) }}
{%- endmacro %}

{#- The relation `periods`: each month of this run with its last delivery, and the first day from which
    the state of an account counts in it. -#}
{% macro ctes_of_periods(ledger, history) -%}
months as (
    {{ months_of_this_run() }}
),

closed_dates as (
    select distinct as_of_date from {{ ledger }}
    where is_closed
),

earliest as (
    select min(valid_from) as valid_from from {{ history }}
),

last_deliveries as (
    select
        months.month,
        max(closed_dates.as_of_date) as as_of_date
    from months
    inner join closed_dates
        on
            months.month <= closed_dates.as_of_date
            and months.next_month > closed_dates.as_of_date
    group by months.month
),

periods as (
    select
        last_deliveries.month,
        last_deliveries.as_of_date,
        greatest(last_deliveries.month, earliest.valid_from) as first_day
    from last_deliveries
    cross join earliest
)
{%- endmacro %}

{#- Spans of days in a month on which an account, its customer and its rate are the same. The arguments
    select accounts: each of the three is the `same` from the first day to the last delivery, is not
    (`other`), or may be either (`any`). The model has the relations `periods` and `rates`.

    known: see `known_periods`. -#}
{% macro pieces_of_months(known, account, customer, rate) -%}
    {%- for period in known or [none] %}
    {{ pieces_of_month(period, account, customer, rate) }}
        {%- if period and (
            (account == 'other' and not period.account)
            or (customer == 'other' and not period.customer)
            or (rate == 'other' and not period.rate)
        ) %}
        and false
        {%- endif -%}
        {{- "\n    union all" if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro pieces_of_month(known, account, customer, rate) -%}
    {%- set period = known or {
        'month': 'periods.month', 'as_of_date': 'periods.as_of_date', 'first_day': 'periods.first_day'
    } -%}
    select
        {{ period.month }} as month,
        {{ period.as_of_date }} as as_of_date,
        {{ period.first_day }} as first_day,
        customers.customer_id,
        accounts.account_type,
        accounts.account_id,
        accounts.balance,
        {{ rate_for('customers.has_loan') }} as interest_rate,
        greatest(
            {{ period.month }}, accounts.valid_from, customers.valid_from, rates.valid_from
        ) as begins,
        least(accounts.valid_to, customers.valid_to, rates.valid_to) as ends
    from {{ '' if known else 'periods cross join ' }}{{ ref('account_history') }} as accounts
    inner join {{ ref('customer_history') }} as customers
        on
            accounts.customer_id = customers.customer_id
            {%- if (account, customer) != ('same', 'same') %}
            and accounts.valid_from < customers.valid_to
            and accounts.valid_to > customers.valid_from
            {%- endif %}
    inner join rates
        on
            {{ period.month }} = rates.month
            and ({{ bears_interest('accounts.account_type') }}) = rates.bears_interest
            and {{ in_tier('accounts.balance', 'rates') }}
            {%- if rate != 'same' %}
            and greatest(accounts.valid_from, customers.valid_from) < rates.valid_to
            and least(accounts.valid_to, customers.valid_to) > rates.valid_from
            {%- endif %}
    where
        {{ stays('accounts', account, period) }}
        and {{ stays('customers', customer, period) }}
        and {{ stays('rates', rate, period) }}
{%- endmacro %}

{% macro stays(versions, how, period) -%}
    {%- if how == 'same' -%}
        {{ versions }}.valid_from <= {{ period.first_day }}
        and {{ versions }}.valid_to > {{ period.as_of_date }}
    {%- else -%}
        {{ versions }}.valid_from <= {{ period.as_of_date }}
        and {{ versions }}.valid_to > {{ period.month }}
        {%- if how == 'other' %}
        and (
            {{ versions }}.valid_from > {{ period.first_day }}
            or {{ versions }}.valid_to <= {{ period.as_of_date }}
        )
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Interest of one year in cents. -#}
{% macro annual_cents(balance, rate) -%}
    cast({{ interest_on(balance, rate) }} * 100 as bigint)
{%- endmacro %}
