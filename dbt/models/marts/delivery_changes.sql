{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['as_of_date', 'change_kind'],
    on_schema_change='fail',
) }}

{#- A delivery of this run changes its own comparison and that of the next known delivery. Histories
    are read where they are needed: as common table expressions DuckDB would keep all of them in
    memory. -#}

with

closed_dates as (
    select distinct as_of_date from {{ ref('delivery_ledger') }}
    where is_closed
),

in_order as (
    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as previous_date
    from closed_dates
),

compared as (
    select *
    from in_order
    where
        previous_date is not null
        and ({{ is_of_this_run('as_of_date') }} or {{ is_of_this_run('previous_date') }})
),

rates as (
    select * from {{ ref('int_interest_rates__by_period') }}
),

{#- Accounts that have another version than before, or none on one of both days. #}

accounts_before as (
    select
        compared.as_of_date,
        compared.previous_date,
        accounts.*
    from {{ ref('account_history') }} as accounts
    inner join compared
        on accounts.valid_to = compared.as_of_date
),

accounts_after as (
    select
        compared.as_of_date,
        compared.previous_date,
        accounts.*
    from {{ ref('account_history') }} as accounts
    inner join compared
        on accounts.valid_from = compared.as_of_date
),

changed_accounts as (
    select
        coalesce(earlier.as_of_date, later.as_of_date) as as_of_date,
        coalesce(earlier.previous_date, later.previous_date) as previous_date,
        earlier.account_id is null as is_opened,
        later.account_id is null as is_closed,
        earlier.customer_id as customer_before,
        later.customer_id as customer_after,
        earlier.account_type as type_before,
        later.account_type as type_after,
        earlier.balance as balance_before,
        later.balance as balance_after
    from accounts_before as earlier
    full outer join accounts_after as later
        on
            earlier.account_id = later.account_id
            and earlier.as_of_date = later.as_of_date
),

{#- Tiers of both days, and the ranges of balances that another tier holds than earlier. #}

tiers_before as (
    select
        compared.as_of_date,
        rates.lower_bound,
        coalesce(rates.next_lower_bound, cast(9999999999999999.99 as decimal(18, 2))) as upper_bound
    from compared
    inner join rates
        on
            compared.previous_date >= rates.valid_from
            and compared.previous_date < rates.valid_to
),

tiers_after as (
    select
        compared.as_of_date,
        rates.lower_bound,
        coalesce(rates.next_lower_bound, cast(9999999999999999.99 as decimal(18, 2))) as upper_bound
    from compared
    inner join rates
        on
            compared.as_of_date >= rates.valid_from
            and compared.as_of_date < rates.valid_to
),

moved_ranges as (
    select
        earlier.as_of_date,
        greatest(earlier.lower_bound, later.lower_bound) as lower_bound,
        least(earlier.upper_bound, later.upper_bound) as upper_bound
    from tiers_before as earlier
    inner join tiers_after as later
        on
            earlier.as_of_date = later.as_of_date
            and earlier.lower_bound < later.upper_bound
            and earlier.upper_bound > later.lower_bound
    where earlier.lower_bound != later.lower_bound
),

judged_accounts as (
    select
        changed.as_of_date,
        changed.is_opened,
        changed.is_closed,
        changed.balance_before,
        changed.balance_after,
        coalesce(changed.balance_before != changed.balance_after, false) as is_balance_changed,
        coalesce(owner_before.has_loan != owner_after.has_loan, false) as is_loan_flag_changed,
        coalesce(tiers_before.lower_bound != tiers_after.lower_bound, false) as is_tier_changed
    from changed_accounts as changed
    left join {{ ref('customer_history') }} as owner_before
        on
            changed.customer_before = owner_before.customer_id
            and changed.as_of_date > owner_before.valid_from
            and changed.as_of_date <= owner_before.valid_to
    left join {{ ref('customer_history') }} as owner_after
        on
            changed.customer_after = owner_after.customer_id
            and changed.as_of_date >= owner_after.valid_from
            and changed.as_of_date < owner_after.valid_to
    left join tiers_before
        on
            changed.as_of_date = tiers_before.as_of_date
            and changed.type_before = 'Savings'
            and changed.balance_before >= tiers_before.lower_bound
            and changed.balance_before < tiers_before.upper_bound
    left join tiers_after
        on
            changed.as_of_date = tiers_after.as_of_date
            and changed.type_after = 'Savings'
            and changed.balance_after >= tiers_after.lower_bound
            and changed.balance_after < tiers_after.upper_bound
),

{#- Accounts that are what they were, but whose customer or tier is another one. #}

changed_flags as (
    select
        compared.as_of_date,
        earlier.customer_id
    from compared
    inner join {{ ref('customer_history') }} as earlier
        on compared.as_of_date = earlier.valid_to
    inner join {{ ref('customer_history') }} as later
        on
            compared.as_of_date = later.valid_from
            and earlier.customer_id = later.customer_id
    where earlier.has_loan != later.has_loan
),

judged as (
    select * from judged_accounts
    union all
    select
        changed_flags.as_of_date,
        false as is_opened,
        false as is_closed,
        accounts.balance as balance_before,
        accounts.balance as balance_after,
        false as is_balance_changed,
        true as is_loan_flag_changed,
        false as is_tier_changed
    from {{ ref('account_history') }} as accounts
    inner join changed_flags
        on
            accounts.customer_id = changed_flags.customer_id
            and accounts.valid_from < changed_flags.as_of_date
            and accounts.valid_to > changed_flags.as_of_date
    union all
    select
        moved_ranges.as_of_date,
        false as is_opened,
        false as is_closed,
        accounts.balance as balance_before,
        accounts.balance as balance_after,
        false as is_balance_changed,
        false as is_loan_flag_changed,
        true as is_tier_changed
    from {{ ref('account_history') }} as accounts
    inner join moved_ranges
        on
            accounts.balance >= moved_ranges.lower_bound
            and accounts.balance < moved_ranges.upper_bound
            and accounts.valid_from < moved_ranges.as_of_date
            and accounts.valid_to > moved_ranges.as_of_date
    where accounts.account_type = 'Savings'
),

kinds as (
    select 'opened' as change_kind
    union all
    select 'closed' as change_kind
    union all
    select 'balance_changed' as change_kind
    union all
    select 'loan_flag_changed' as change_kind
    union all
    select 'tier_changed' as change_kind
),

totals as (
    select
        judged.as_of_date,
        kinds.change_kind,
        count(*) as accounts,
        sum(judged.balance_before) as balance_before,
        sum(judged.balance_after) as balance_after
    from judged
    inner join kinds
        on
            (judged.is_opened and kinds.change_kind = 'opened')
            or (judged.is_closed and kinds.change_kind = 'closed')
            or (judged.is_balance_changed and kinds.change_kind = 'balance_changed')
            or (judged.is_loan_flag_changed and kinds.change_kind = 'loan_flag_changed')
            or (judged.is_tier_changed and kinds.change_kind = 'tier_changed')
    group by judged.as_of_date, kinds.change_kind
)

select
    compared.as_of_date,
    kinds.change_kind,
    compared.previous_date,
    coalesce(totals.accounts, 0) as accounts,
    cast(coalesce(totals.balance_before, 0) as decimal(38, 2)) as balance_before,
    cast(coalesce(totals.balance_after, 0) as decimal(38, 2)) as balance_after
from compared
cross join kinds
left join totals
    on
        compared.as_of_date = totals.as_of_date
        and kinds.change_kind = totals.change_kind
