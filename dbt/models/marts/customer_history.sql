{{ config(
    materialized='incremental',
    incremental_strategy='merge_versions',
    unique_key=['customer_id', 'valid_from'],
    on_schema_change='fail',
    pre_hook="{{ store_plainly(not is_incremental()) }}",
    post_hook="{{ store_plainly(false) }}",
) }}

{{ versions_of_this_run(
    ref('stg_customers__cleaned'),
    ref('delivery_ledger'),
    'customer_id',
    ['name', 'has_loan'],
) }}
