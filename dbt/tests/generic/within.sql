{#- Every value is there and lies from `least` to `greatest`. -#}
{% test within(model, column_name, least, greatest) %}

select {{ column_name }}
from {{ model }}
where
    {{ column_name }} is null
    or {{ column_name }} < {{ least }}
    or {{ column_name }} > {{ greatest }}

{% endtest %}
