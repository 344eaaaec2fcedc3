"""What is measured on Databricks is served and shown by the dashboard."""

from pathlib import Path

import pytest

from lending_club_pipeline.defs.operating.samples import refreshed_statements
from lending_club_pipeline.operating.exporters import exporting
from lending_club_pipeline.operating.measurements import OF_DATABRICKS
from tests.databricks.histories import RUN, ran, workspace_at
from tests.operating.programs import free_port
from tests.operating.test_metrics import assert_drawn
from tests.operating.test_prometheus import EXPRESSIONS


@pytest.mark.operations
def test_every_expression_about_databricks_has_rows(tmp_path: Path) -> None:
    expressions = [it for it in EXPRESSIONS if "databricks" in it]
    names = {it.prometheus_name for it in OF_DATABRICKS}
    assert {name for name in names for it in expressions if name in it} == names
    with workspace_at(tmp_path) as workspace:
        workspace.statements = [ran(), ran(RUN | {"@@dbt_model_name": "account_summary"})]
        port = free_port()
        settings = workspace.settings(metrics_port=port)

        with exporting(settings, refreshed_statements(settings, 30).samples):
            assert_drawn(f"http://127.0.0.1:{port}", expressions, tmp_path)
