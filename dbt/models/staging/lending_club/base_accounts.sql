{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

{{ judged_and_landed(
    ref('base_accounts__judged'),
    source('lending_club', 'accounts_raw'),
    is_plain=are_plain_accounts(),
    plainly=plain_accounts(),
) }}
