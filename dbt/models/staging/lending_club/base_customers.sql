{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

{{ judged_and_landed(
    ref('base_customers__judged'),
    source('lending_club', 'customers_raw'),
    plainly=plain_customers(),
) }}
