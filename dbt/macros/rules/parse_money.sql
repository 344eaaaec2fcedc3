{#- Digits, well-formed thousands commas, a point with digits on both sides; one minus and one
    dollar sign in front, in either order. -#}
{% macro money_pattern() -%}
(-|-?[$]|[$]-)?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)([.][0-9]+)?
{%- endmacro %}

{#- A plainly written amount as decimal(18, 2); NULL for any other text, which the macros below parse. -#}
{% macro parse_plain_money(text) -%}
    case
        when {{ matches(text, '[0-9]{1,15}([.][0-9]{1,2})?') }}
            then cast({{ text }} as decimal(18, 2))
    end
{%- endmacro %}

{#- An amount without signs and separators. -#}
{% macro money_digits(trimmed) -%}
    replace(replace(replace({{ trimmed }}, '$', ''), ',', ''), '-', '')
{%- endmacro %}

{#- Whole units without leading zeros; an empty text is zero. -#}
{% macro money_units(digits) -%}
    trim(leading '0' from split_part({{ digits }}, '.', 1))
{%- endmacro %}

{#- Decimals without trailing zeros. -#}
{% macro money_decimals(digits) -%}
    trim(trailing '0' from split_part({{ digits }}, '.', 2))
{%- endmacro %}

{#- The reasons for which a trimmed text is not an accepted amount, sorted and joined by `;`; an empty text
    if it is accepted, NULL if there is no text. Minus zero is zero, so it is not negative. Amounts above
    999,999,999,999,999.99 are out of range; negative amounts are only negative. -#}
{% macro money_reasons(trimmed, units, decimals) -%}
    case
        when {{ trimmed }} is null then null
        when {{ trimmed }} = '' then 'balance_missing'
        when not {{ matches(trimmed, money_pattern()) }} then 'balance_not_a_number'
        else concat_ws(
            ';',
            case when length({{ decimals }}) > 2 then 'balance_fraction_of_a_cent' end,
            case
                when {{ trimmed }} like '%-%' and {{ units }} || {{ decimals }} != ''
                    then 'balance_negative'
            end,
            case
                when
                    {{ trimmed }} not like '%-%'
                    and (
                        length({{ units }}) > 15
                        or ({{ units }} = '999999999999999' and {{ decimals }} like '99_%')
                    )
                    then 'balance_out_of_range'
            end
        )
    end
{%- endmacro %}

{#- An amount without such a reason, as decimal(18, 2). -#}
{% macro money_of(units, decimals) -%}
    cast('0' || {{ units }} || '.' || rpad({{ decimals }}, 2, '0') as decimal(18, 2))
{%- endmacro %}
