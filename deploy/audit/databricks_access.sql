-- Who read and changed the tables of the pipeline on Databricks, from its own system tables:
-- https://docs.databricks.com/aws/en/admin/system-tables/. Give catalog and schema by parameters.
-- Texts of statements are shown only to members of databricks_pii_access.

-- Who read account_summary_serving in the last thirty days.
select
    event_time,
    created_by as user_name,
    entity_type,
    source_table_full_name
from system.access.table_lineage
where
    source_table_full_name = :catalog || '.' || :schema || '.account_summary_serving'
    and event_date >= current_date() - interval 30 days
order by event_time desc;

-- Who changed rights, tables or volumes there.
select
    event_time,
    user_identity.email as user_name,
    source_ip_address,
    action_name,
    request_params,
    response.status_code
from system.access.audit
where
    service_name = 'unityCatalog'
    and action_name in ('updatePermissions', 'createTable', 'deleteTable', 'updateTables', 'deleteVolume')
    and to_json(request_params) like '%' || :schema || '%'
    and event_date >= current_date() - interval 30 days
order by event_time desc;

-- Statements of the pipeline by run (query tag run_id), with time and bytes.
select
    start_time,
    executed_by as user_name,
    query_tags['run_id'] as run_id,
    execution_status,
    total_duration_ms / 1000.0 as seconds,
    read_bytes,
    written_bytes
from system.query.history
where
    query_tags['run_id'] is not null
    and start_time >= current_timestamp() - interval 30 days
order by start_time desc;
