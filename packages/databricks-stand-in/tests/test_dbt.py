"""dbt-databricks, unmodified, builds a small project on the stand-in twice."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from databricks_stand_in.client import WarehouseClient

_FILES = {
    "dbt_project.yml": """
name: tiny
profile: tiny
flags: {send_anonymous_usage_stats: false}
models: {tiny: {+persist_docs: {relation: true, columns: true}}}
""",
    "profiles.yml": """
tiny:
  target: it
  outputs:
    it:
      type: databricks
      host: "{{ env_var('DATABRICKS_HOST') }}"
      http_path: "{{ env_var('DATABRICKS_HTTP_PATH') }}"
      token: "{{ env_var('DATABRICKS_TOKEN') }}"
      catalog: "{{ env_var('DATABRICKS_CATALOG') }}"
      schema: "{{ env_var('DATABRICKS_SCHEMA') }}"
      threads: 2
      connection_parameters:
        _connection_uri: >-
          https://{{ env_var('DATABRICKS_HOST') }}{{ env_var('DATABRICKS_HTTP_PATH') }}
        _tls_trusted_ca_file: "{{ env_var('DATABRICKS_CA_FILE') }}"
        enable_telemetry: false
""",
    "seeds/people.csv": "id,name,amount\n1,a,1.50\n2,b,\n3,c,3.25\n",
    "models/all_people.sql": """
select id, name, cast(amount as decimal(18, 2)) as amount from {{ ref('people') }}
""",
    "models/others.sql": """
{{ config(materialized='ephemeral') }} select * from {{ ref('all_people') }} where id > 1
""",
    "models/facts.sql": """
{{ config(
    materialized='table', liquid_clustered_by='id', databricks_tags={'domain': 'lending'},
    grants={'select': ['readers']}
) }}
select id, name, amount from {{ ref('others') }}
""",
    "models/growing.sql": """
{{ config(materialized='incremental', unique_key='id', incremental_strategy='merge') }}
select id, name from {{ ref('all_people') }}
""",
    "models/replaced.sql": """
{{ config(
    materialized='incremental', incremental_strategy='replace_where',
    incremental_predicates='id = 1'
) }}
select id, name from {{ ref('all_people') }} {% if is_incremental() %} where id = 1 {% endif %}
""",
    "models/models.yml": """
models:
  - name: all_people
    description: "Everybody's row"
  - name: facts
    description: "It's a fact"
    config: {contract: {enforced: true}}
    constraints:
      - {type: primary_key, columns: [id], name: facts_key}
      - {type: check, expression: "id > 0", name: positive}
    columns:
      - name: id
        data_type: bigint
        description: the key
        constraints: [{type: not_null}]
        data_tests: [unique, not_null]
      - {name: name, data_type: string}
      - {name: amount, data_type: "decimal(18,2)"}
""",
    "snapshots/history.yml": """
snapshots:
  - name: history
    relation: ref('all_people')
    config:
      unique_key: id
      strategy: check
      check_cols: [name]
      hard_deletes: new_record
      dbt_valid_to_current: "to_date('9999-12-31')"
""",
}


def _dbt(project: Path, warehouse: WarehouseClient, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments],
        cwd=project,
        env=os.environ | warehouse.environment | {"REQUESTS_CA_BUNDLE": str(warehouse.ca_file)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A dbt project with every kind of model."""
    for name, text in _FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.lstrip("\n"))
    return tmp_path


def test_every_kind_of_model_is_built_and_built_again(
    project: Path, warehouse: WarehouseClient
) -> None:
    _dbt(project, warehouse, "debug")
    _dbt(project, warehouse, "build")
    (project / "seeds/people.csv").write_text("id,name,amount\n1,z,1.50\n3,c,3.25\n4,d,0.01\n")
    _dbt(project, warehouse, "build")

    schema = f"{warehouse.catalog}.{warehouse.schema}"
    assert warehouse.run(f"select id, name from {schema}.growing order by id") == [
        (1, "z"),
        (2, "b"),
        (3, "c"),
        (4, "d"),
    ]
    assert warehouse.run(f"select id, name from {schema}.replaced order by id") == [
        (1, "z"),
        (2, "b"),
        (3, "c"),
    ]
    history = f"select id, name, dbt_is_deleted from {schema}.history"
    assert sorted(warehouse.run(f"{history} where dbt_valid_to = '9999-12-31'")) == [
        (1, "z", False),
        (2, "b", True),
        (3, "c", False),
        (4, "d", False),
    ]
    described = json.loads(warehouse.run(f"describe table extended {schema}.facts as json")[0][0])
    assert described["comment"] == "It's a fact"
    assert described["table_constraints"] == "[(facts_key,PRIMARY KEY (`id`))]"
    assert described["columns"][0]["nullable"] is False
    assert warehouse.run(f"show grants on table {schema}.facts")[0][:2] == ("readers", "SELECT")
    tags = "select tag_name, tag_value from system.information_schema.table_tags"
    assert warehouse.run(f"{tags} where schema_name = '{warehouse.schema}'") == [
        ("domain", "lending")
    ]
