{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

{{ judged_and_landed(
    ref('base_accounts__judged'),
    source('lending_club', 'accounts_raw'),
    plainly=plain_accounts(),
) }}
