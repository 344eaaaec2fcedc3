-- The floor: what the bare engine needs for the same files if nothing is checked, kept or explained.
-- Variables: customers, accounts (the CSV files), summary_csv, summary_parquet (the outputs).

create temp table summary as
with customers as (
    select
        CustomerID as customer_id,
        HasLoan as has_loan
    from read_csv(
        getvariable('customers'),
        auto_detect = false, delim = ',', quote = '"', escape = '"', header = true,
        columns = {'CustomerID': 'BIGINT', 'Name': 'VARCHAR', 'HasLoan': 'VARCHAR'}
    )
),

accounts as (
    select
        AccountID as account_id,
        CustomerID as customer_id,
        Balance as balance,
        AccountType as account_type
    from read_csv(
        getvariable('accounts'),
        auto_detect = false, delim = ',', quote = '"', escape = '"', header = true,
        columns = {
            'AccountID': 'VARCHAR',
            'CustomerID': 'BIGINT',
            'Balance': 'DECIMAL(18, 2)',
            'AccountType': 'VARCHAR'
        }
    )
),

with_rate as (
    select
        accounts.customer_id,
        accounts.account_id,
        accounts.balance,
        cast(
            case
                when accounts.balance < 10000 then 0.0100
                when accounts.balance < 20000 then 0.0150
                else 0.0200
            end + case when customers.has_loan = 'Yes' then 0.0050 else 0.0000 end
            as decimal(6, 4)
        ) as interest_rate
    from accounts
    inner join customers on accounts.customer_id = customers.customer_id
    where accounts.account_type = 'Savings'
),

with_interest as (
    select
        *,
        cast(
            round(cast(balance as decimal(28, 2)) * interest_rate, 2) as decimal(18, 2)
        ) as annual_interest
    from with_rate
)

select
    customer_id,
    account_id,
    balance as original_balance,
    interest_rate,
    annual_interest,
    cast(balance + annual_interest as decimal(18, 2)) as new_balance
from with_interest
order by account_id;

copy summary to (getvariable('summary_csv')) (format csv, header true);
copy summary to (getvariable('summary_parquet')) (format parquet, compression zstd);
