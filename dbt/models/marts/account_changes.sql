{{ config(materialized='view') }}

{#- Readers name both dates. A condition on both dates must reach every table on both engines, and
    the engine must know how few pairs are left. So the pairs are not a common table expression
    (DuckDB would materialise all of them), and each step is read once. -#}

{%- set compared_columns = [
    'customer_id', 'account_type', 'has_loan', 'balance', 'lower_bound', 'interest_rate',
    'annual_interest'
] %}
{%- set closed_dates =
    "select distinct as_of_date from " ~ ref('delivery_ledger') ~ " where is_closed" %}
{%- set pairs -%}
    (
        select
            earlier.as_of_date as previous_date,
            later.as_of_date
        from ({{ closed_dates }}) as earlier
        inner join ({{ closed_dates }}) as later
            on earlier.as_of_date < later.as_of_date
    ) as pairs
{%- endset %}

-- The pairs stand in several places, with their aliases, and come first in conditions: that is how
-- the engines see their dates. Columns are written by loops.
-- noqa: disable=AL04,ST05,ST09,LT02

with

rates as (
    select
        true as bears_interest,
        by_period.*
    from {{ ref('int_interest_rates__by_period') }} as by_period
),

{#- Ranges of balances that have another tier or rate than on the earlier date. #}

moved_rates as (
    select
        pairs.previous_date,
        pairs.as_of_date,
        greatest(earlier.lower_bound, later.lower_bound) as lower_bound,
        least(earlier.upper_bound, later.upper_bound) as upper_bound
    from {{ pairs }}
    inner join rates as earlier
        on pairs.previous_date >= earlier.valid_from and pairs.previous_date < earlier.valid_to
    inner join rates as later
        on pairs.as_of_date >= later.valid_from and pairs.as_of_date < later.valid_to
    where
        earlier.lower_bound < later.upper_bound
        and earlier.upper_bound > later.lower_bound
        and (
            earlier.lower_bound != later.lower_bound
            or earlier.annual_base_rate != later.annual_base_rate
            or earlier.annual_bonus_rate != later.annual_bonus_rate
        )
),

moved_customers as (
    select
        pairs.previous_date,
        pairs.as_of_date,
        customers.customer_id
    from {{ pairs }}
    inner join {{ ref('customer_history') }} as customers
        on customers.valid_to > pairs.previous_date and customers.valid_to <= pairs.as_of_date
    union distinct
    select
        pairs.previous_date,
        pairs.as_of_date,
        customers.customer_id
    from {{ pairs }}
    inner join {{ ref('customer_history') }} as customers
        on customers.valid_from > pairs.previous_date and customers.valid_from <= pairs.as_of_date
),

{#- Accounts that did not change themselves, but whose customer, tier or rate may have changed. #}

kept_accounts as (
    select
        moved_customers.previous_date,
        moved_customers.as_of_date,
        accounts.account_id,
        accounts.customer_id,
        accounts.account_type,
        accounts.balance
    from moved_customers
    inner join {{ ref('account_history') }} as accounts
        on
            moved_customers.customer_id = accounts.customer_id
            and moved_customers.previous_date >= accounts.valid_from
            and moved_customers.as_of_date < accounts.valid_to
    union all
    select
        moved_rates.previous_date,
        moved_rates.as_of_date,
        accounts.account_id,
        accounts.customer_id,
        accounts.account_type,
        accounts.balance
    from moved_rates
    inner join {{ ref('account_history') }} as accounts
        on
            {{ in_tier('accounts.balance', 'moved_rates') }}
            and moved_rates.previous_date >= accounts.valid_from
            and moved_rates.as_of_date < accounts.valid_to
    where {{ bears_interest('accounts.account_type') }}
),

{#- Every account that may have changed, as it was on one date, on the other, or on both. #}

sides as (
    select
        pairs.previous_date,
        pairs.as_of_date,
        pairs.previous_date as side_date,
        true as is_before,
        accounts.account_id,
        accounts.customer_id,
        accounts.account_type,
        accounts.balance
    from {{ pairs }}
    inner join {{ ref('account_history') }} as accounts
        on
            accounts.valid_from <= pairs.previous_date
            and accounts.valid_to > pairs.previous_date
            and accounts.valid_to <= pairs.as_of_date
    union all
    select
        pairs.previous_date,
        pairs.as_of_date,
        pairs.as_of_date as side_date,
        false as is_before,
        accounts.account_id,
        accounts.customer_id,
        accounts.account_type,
        accounts.balance
    from {{ pairs }}
    inner join {{ ref('account_history') }} as accounts
        on
            accounts.valid_from > pairs.previous_date
            and accounts.valid_from <= pairs.as_of_date
            and accounts.valid_to > pairs.as_of_date
    union all
    select
        kept_accounts.previous_date,
        kept_accounts.as_of_date,
        case
            when both_sides.is_before then kept_accounts.previous_date
            else kept_accounts.as_of_date
        end as side_date,
        both_sides.is_before,
        kept_accounts.account_id,
        kept_accounts.customer_id,
        kept_accounts.account_type,
        kept_accounts.balance
    from kept_accounts
    cross join (
        select true as is_before
        union all
        select false as is_before
    ) as both_sides
),

{#- An account is used only with a valid customer. Accounts in quarantine are added. #}

used_and_quarantined as (
    select
        sides.previous_date,
        sides.as_of_date,
        sides.is_before,
        true as is_used,
        sides.account_id,
        sides.customer_id,
        sides.account_type,
        customers.has_loan,
        sides.balance,
        rates.lower_bound,
        case when rates.lower_bound is not null then {{ rate_for('customers.has_loan') }} end
            as interest_rate,
        cast(null as {{ dbt.type_string() }}) as quarantine_reasons
    from sides
    inner join {{ ref('customer_history') }} as customers
        on
            sides.customer_id = customers.customer_id
            and sides.side_date >= customers.valid_from
            and sides.side_date < customers.valid_to
    left join rates
        on
            ({{ bears_interest('sides.account_type') }}) = rates.bears_interest
            and {{ in_tier('sides.balance', 'rates') }}
            and sides.side_date >= rates.valid_from
            and sides.side_date < rates.valid_to
    {%- for is_before, date in (('true', 'previous_date'), ('false', 'as_of_date')) %}
        union all
        select
            pairs.previous_date,
            pairs.as_of_date,
            {{ is_before }} as is_before,
            false as is_used,
            records.account_id,
            null as customer_id,
            null as account_type,
            null as has_loan,
            null as balance,
            null as lower_bound,
            null as interest_rate,
            records.reasons as quarantine_reasons
        from {{ pairs }}
        inner join {{ ref('quarantined_records') }} as records
            on pairs.{{ date }} = records.as_of_date
        where records.source_file = 'accounts.csv' and records.account_id is not null
    {%- endfor %}
),

with_interest as (
    select
        *,
        case
            when is_used then coalesce({{ interest_on('balance', 'interest_rate') }}, 0)
        end as annual_interest
    from used_and_quarantined
),

compared as (
    select
        previous_date,
        as_of_date,
        account_id,
        {%- for side, is_before in (('before', 'is_before'), ('after', 'not is_before')) %}
            max(case when {{ is_before }} and is_used then 1 else 0 end) = 1 as is_used_{{ side }},
            {%- for column in compared_columns %}
                max(case when {{ is_before }} then {{ column }} end) as {{ column }}_{{ side }},
            {%- endfor %}
            min(case when {{ is_before }} then quarantine_reasons end)
                as quarantine_reasons_{{ side }}
            {{- "," if not loop.last }}
        {%- endfor %}
    from with_interest
    group by previous_date, as_of_date, account_id
),

judged as (
    select
        *,
        {{ account_change_kinds() }} as change_kinds
    from compared
    where is_used_before or is_used_after
)

select
    previous_date,
    as_of_date,
    account_id,
    change_kinds,
    case when not is_used_after then quarantine_reasons_after end as quarantine_reasons,
    customer_id_before,
    customer_id_after,
    account_type_before,
    account_type_after,
    has_loan_before,
    has_loan_after,
    balance_before,
    balance_after,
    interest_rate_before,
    interest_rate_after,
    annual_interest_before,
    annual_interest_after
from judged
where change_kinds != ''
