-- Cost of the pipeline on Databricks, by the query tags of its statements. Ready for a dashboard of
-- Databricks: https://docs.databricks.com/aws/en/admin/system-tables/query-history. The table has a
-- statement within an hour; readers need SELECT on system.query.history.

-- Statements, seconds and bytes of each run in the last thirty days.
select
    query_tags['run_id'] as run_id,
    min(start_time) as started_at,
    count(*) as statements,
    count_if(execution_status <> 'FINISHED') as failed_statements,
    round(sum(total_duration_ms) / 1000.0, 1) as seconds,
    round(sum(waiting_for_compute_duration_ms) / 1000.0, 1) as waited_for_compute_seconds,
    sum(read_bytes) as read_bytes,
    sum(written_bytes) as written_bytes
from system.query.history
where
    query_tags['application'] = 'lending-club-pipeline'
    and start_time >= current_timestamp() - interval 30 days
group by query_tags['run_id']
order by started_at desc;

-- The same by day, against the mean of the seven days before.
with by_day as (
    select
        date(start_time) as day,
        count(*) as statements,
        sum(total_duration_ms) / 1000.0 as seconds,
        sum(read_bytes) as read_bytes
    from system.query.history
    where
        query_tags['application'] = 'lending-club-pipeline'
        and start_time >= current_timestamp() - interval 60 days
    group by date(start_time)
)

select
    day,
    statements,
    round(seconds, 1) as seconds,
    read_bytes,
    round(avg(seconds) over (order by day rows between 7 preceding and 1 preceding), 1) as usual_seconds
from by_day
order by day desc;

-- The slowest statements of the last seven days; their texts are for members of databricks_pii_access.
select
    statement_id,
    query_tags['run_id'] as run_id,
    statement_type,
    round(total_duration_ms / 1000.0, 1) as seconds,
    read_bytes,
    produced_rows
from system.query.history
where
    query_tags['application'] = 'lending-club-pipeline'
    and start_time >= current_timestamp() - interval 7 days
order by total_duration_ms desc
limit 20;
