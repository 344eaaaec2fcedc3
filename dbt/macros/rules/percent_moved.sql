{#- Change of a number (scale 2, not negative) in percent, rounded half up to two decimals; NULL if it was
    zero, or so small that the change exceeds a trillion percent. The engines divide decimals
    differently, but whole numbers alike. -#}
{% macro percent_moved(before, now) -%}
    case
        when {{ before }} = 0 then null
        when abs({{ now }} - {{ before }}) > cast({{ before }} as decimal(28, 2)) * 10000000000
            then null
        else cast(
            (case when {{ now }} < {{ before }} then -1 else 1 end) * cast(
                {{ whole_division(
                    '(20000 * ' ~ cents('abs(' ~ now ~ ' - ' ~ before ~ ')') ~ ' + ' ~ cents(before) ~ ')',
                    '(2 * ' ~ cents(before) ~ ')'
                ) }} as decimal(20, 0)
            ) * cast(0.01 as decimal(3, 2)) as decimal(18, 2)
        )
    end
{%- endmacro %}
