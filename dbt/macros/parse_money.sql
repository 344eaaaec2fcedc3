{#- Digits, well-formed thousands commas, a point with digits on both sides; one minus and one
    dollar sign in front, in either order. -#}
{% macro money_pattern() -%}
(-|-?[$]|[$]-)?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]+)?
{%- endmacro %}

{% macro money_digits(text) -%}
    replace(replace(replace({{ text }}, '$', ''), ',', ''), '-', '')
{%- endmacro %}

{#- Whole units without leading zeros; an empty text is zero. -#}
{% macro money_units(text) -%}
    trim(leading '0' from split_part({{ money_digits(text) }}, '.', 1))
{%- endmacro %}

{#- Decimals without trailing zeros. -#}
{% macro money_decimals(text) -%}
    trim(trailing '0' from split_part({{ money_digits(text) }}, '.', 2))
{%- endmacro %}

{#- Minus zero is zero, so that it is not negative. -#}
{% macro is_negative_money(text) -%}
    ({{ text }} like '%-%' and {{ money_units(text) }} || {{ money_decimals(text) }} != '')
{%- endmacro %}

{% macro is_fraction_of_a_cent(text) -%}
    (length({{ money_decimals(text) }}) > 2)
{%- endmacro %}

{#- Above 999,999,999,999,999.99. A negative number is below it. -#}
{% macro is_money_out_of_range(text) -%}
    (
        {{ text }} not like '%-%'
        and (
            length({{ money_units(text) }}) > 15
            or (
                {{ money_units(text) }} = '999999999999999'
                and {{ money_decimals(text) }} like '99_%'
            )
        )
    )
{%- endmacro %}

{#- An amount of money as decimal(18, 2); NULL where it is not accepted.

    The first branch is the common case and only faster: it gives what the second would. -#}
{% macro parse_money(text) -%}
    {%- set trimmed = trim_white_space(text) -%}
    case
        when {{ matches(text, '[0-9]{1,15}([.][0-9]{1,2})?') }}
            then cast({{ text }} as decimal(18, 2))
        when
            {{ matches(trimmed, money_pattern()) }}
            and not {{ is_negative_money(trimmed) }}
            and not {{ is_fraction_of_a_cent(trimmed) }}
            and not {{ is_money_out_of_range(trimmed) }}
            then cast(
                '0' || {{ money_units(trimmed) }} || '.' || rpad({{ money_decimals(trimmed) }}, 2, '0')
                as decimal(18, 2)
            )
    end
{%- endmacro %}

{#- Why a text is no accepted amount: reasons joined by `;`, sorted. For texts that
    parse_money refuses. -#}
{% macro money_reasons(text) -%}
    {%- set trimmed = trim_white_space(text) -%}
    case
        when {{ trimmed }} = '' then 'balance_missing'
        when not {{ matches(trimmed, money_pattern()) }} then 'balance_not_a_number'
        else concat_ws(
            ';',
            case when {{ is_fraction_of_a_cent(trimmed) }} then 'balance_fraction_of_a_cent' end,
            case when {{ is_negative_money(trimmed) }} then 'balance_negative' end,
            case when {{ is_money_out_of_range(trimmed) }} then 'balance_out_of_range' end
        )
    end
{%- endmacro %}
