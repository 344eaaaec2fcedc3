{#- Typed fields of the records of this run, each with the reasons for which it is not accepted, or NULL.
    `only` is a condition that selects records; `only_in` is a relation of record numbers (perhaps of
    another date). Spark inlines each use: materialising ten million parsed rows costs more than parsing
    the few columns of each use twice.

    Nearly all fields are written plainly, which one test tells. Only the others, `odd_…`, are trimmed
    and parsed step by step: each step is computed once, and costs nothing if it is NULL. -#}
{% macro parsed_accounts(only=none, only_in=none) -%}
    select
        as_of_date,
        record_number,
        account_id,
        coalesce(plain_customer_id, {{ parse_odd_whole_number('odd_customer_id') }}) as customer_id,
        coalesce(
            plain_balance,
            case
                when balance_reasons = ''
                    then {{ money_of('odd_balance_units', 'odd_balance_decimals') }}
            end
        ) as balance,
        coalesce(plain_account_type, {{ normalise_account_type('odd_account_type') }})
            as account_type,
        odd_customer_id,
        nullif(balance_reasons, '') as balance_reasons,
        odd_account_type
    from (
        select
            *,
            {{ money_reasons('odd_balance', 'odd_balance_units', 'odd_balance_decimals') }}
                as balance_reasons
        from (
            select
                *,
                {{ money_units('odd_balance_digits') }} as odd_balance_units,
                {{ money_decimals('odd_balance_digits') }} as odd_balance_decimals
            from (
                select
                    *,
                    {{ money_digits('odd_balance') }} as odd_balance_digits
                from (
                    select
                        *,
                        case
                            when plain_customer_id is null
                                then {{ trim_white_space('customer_id_text') }}
                        end as odd_customer_id,
                        case
                            when plain_balance is null
                                then {{ trim_white_space('balance_text') }}
                        end as odd_balance,
                        case
                            when plain_account_type is null
                                then {{ lower_ascii(trim_white_space('account_type_text')) }}
                        end as odd_account_type
                    from (
                        select
                            as_of_date,
                            record_number,
                            {{ trim_white_space('account_id') }} as account_id,
                            {{ parse_plain_whole_number('customer_id') }} as plain_customer_id,
                            {{ parse_plain_money('balance') }} as plain_balance,
                            case
                                when account_type in ('Savings', 'Checking') then account_type
                            end as plain_account_type,
                            customer_id as customer_id_text,
                            balance as balance_text,
                            account_type as account_type_text
                        from {{ source('lending_club', 'accounts_raw') }}
                        where
                {{ is_of_this_run('as_of_date') }} {{- and_only(only) }} {{- and_in(only_in) }}
                    ) as plain
                ) as trimmed
            ) as reduced
        ) as divided
    ) as judged
{%- endmacro %}

{#- See `parsed_accounts`. -#}
{% macro parsed_customers(only=none, only_in=none) -%}
    select
        as_of_date,
        record_number,
        coalesce(plain_customer_id, {{ parse_odd_whole_number('odd_customer_id') }}) as customer_id,
        name,
        coalesce(plain_has_loan, {{ normalise_has_loan('odd_has_loan') }}) as has_loan,
        odd_customer_id
    from (
        select
            *,
            case
                when plain_customer_id is null then {{ trim_white_space('customer_id_text') }}
            end as odd_customer_id,
            case
                when plain_has_loan is null
                    then {{ lower_ascii(trim_white_space('loan_text')) }}
            end as odd_has_loan
        from (
            select
                as_of_date,
                record_number,
                {{ parse_plain_whole_number('customer_id') }} as plain_customer_id,
                {{ normalise_name('name') }} as name,
                case when has_loan in ('Yes', 'No', 'None') then has_loan end as plain_has_loan,
                customer_id as customer_id_text,
                has_loan as loan_text
            from {{ source('lending_club', 'customers_raw') }}
            where
                {{ is_of_this_run('as_of_date') }} {{- and_only(only) }} {{- and_in(only_in) }}
        ) as plain
    ) as trimmed
{%- endmacro %}

{% macro and_only(condition) -%}
    {%- if condition %}
        and {{ condition }}
    {%- endif -%}
{%- endmacro %}

{% macro and_in(relation) -%}
    {%- if relation %}
        and record_number in (select {{ relation }}.record_number from {{ relation }})
    {%- endif %}
{%- endmacro %}

{% macro customer_id_reason(trimmed) -%}
    case
        when {{ trimmed }} = '' then 'customer_id_missing'
        else 'customer_id_not_a_whole_number'
    end
{%- endmacro %}
