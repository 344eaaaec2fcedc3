{#- The kinds of change of an account between two deliveries: codes of the seed `change_kinds`, joined by
    `;`; an empty text without a change. The first four exclude all others. The macro reads the columns
    of account_changes: each field `_before` and `_after`.

    Keep it one expression. If its parts had names, Spark's optimizer would infer thousands of
    constraints from them. -#}
{% macro account_change_kinds() -%}
    {%- set is_used_twice = "is_used_before and is_used_after" -%}
    {%- set kinds = {
        'opened': "not is_used_before and quarantine_reasons_before is null",
        'closed': "not is_used_after and quarantine_reasons_after is null",
        'quarantined': "not is_used_after and quarantine_reasons_after is not null",
        'released': "not is_used_before and quarantine_reasons_before is not null",
        'balance_changed': is_used_twice ~ " and balance_before != balance_after",
        'loan_flag_changed': is_used_twice ~ " and has_loan_before != has_loan_after",
        'tier_changed': "lower_bound_before != lower_bound_after",
        'rate_changed': is_used_twice
            ~ " and interest_rate_before is distinct from interest_rate_after"
            ~ " and lower_bound_before is not distinct from lower_bound_after"
            ~ " and account_type_before = account_type_after"
            ~ " and has_loan_before = has_loan_after",
        'type_changed': is_used_twice ~ " and account_type_before != account_type_after",
        'owner_changed': is_used_twice ~ " and customer_id_before != customer_id_after",
    } -%}
    concat_ws(
        ';'
        {%- for kind, condition in kinds.items() %},
        case when {{ condition }} then '{{ kind }}' end
        {%- endfor %}
    )
{%- endmacro %}
