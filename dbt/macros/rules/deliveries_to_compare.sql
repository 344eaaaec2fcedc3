{#- The deliveries whose comparison this run changes: the deliveries of the run, and the next ones after
    them. Each comes with the previous closed delivery, as ISO texts `[before, date]`.

    ledger: relation of the delivery ledger, which the run has made. -#}
{% macro deliveries_to_compare(ledger) -%}
    {%- set pairs = [] -%}
    {%- if execute and load_relation(ledger) -%}
        {%- set query = 'select distinct as_of_date from ' ~ ledger ~ ' where is_closed' -%}
        {%- set closed = run_query(query).columns[0].values() | map('string') | sort -%}
        {%- set run_days = days_of_this_run() -%}
        {%- for at in range(1, closed | length) -%}
            {%- if closed[at] in run_days or closed[at - 1] in run_days -%}
                {%- do pairs.append([closed[at - 1], closed[at]]) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(pairs) }}
{%- endmacro %}
