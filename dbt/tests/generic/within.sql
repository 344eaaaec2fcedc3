{#- Every value is present and lies between `least` and `greatest`, bounds included. -#}
{% test within(model, column_name, least, greatest) %}

select {{ column_name }}
from {{ model }}
where
    {{ column_name }} is null
    or {{ column_name }} < {{ least }}
    or {{ column_name }} > {{ greatest }}

{% endtest %}
