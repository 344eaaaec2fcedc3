{#- Every cleaned record has a value in a column that a plain record always has. To test the plain ones
    again would lower every name once more.

    judged: name of the model with the judged records. -#}
{% test not_null_where_judged(model, column_name, judged) %}

select {{ column_name }}
from {{ cleaned_and_not_plain(model, judged) }}
where {{ column_name }} is null

{% endtest %}
