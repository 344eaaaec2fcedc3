"""An approval is recorded as it was said, and once, whatever becomes of the reply."""

import datetime as dt
from pathlib import Path

import pytest

from databricks_stand_in.client import WarehouseClient
from lending_club_pipeline.warehouse.approvals import Approval
from tests.databricks.deliveries import DAY
from tests.databricks.pipelines import loaded_session

APPROVAL = Approval(
    DAY,
    r"Zoë O'Hara \ Risk",
    dt.datetime.fromisoformat("2026-02-01T08:30:15"),
    "a branch was sold; -- 'as agreed' \\n 100 % ?",
    "a" * 64,
    "b" * 64,
)


@pytest.mark.exhaustive
def test_an_approval_is_recorded_once_and_as_it_was_said(
    warehouse: WarehouseClient, tmp_path: Path
) -> None:
    with loaded_session(warehouse, tmp_path) as pipeline:
        warehouse.arm("lose_reply", matching="^insert into .*delivery_approvals")

        pipeline.record_approval(APPROVAL)
        pipeline.record_approval(APPROVAL)

        assert [fault["struck"] for fault in warehouse.request("GET", "/faults")] == [1]
        assert pipeline.fetch("select * from delivery_approvals") == [
            {
                "approval_id": APPROVAL.approval_id,
                "as_of_date": DAY,
                "approved_by": APPROVAL.approved_by,
                "approved_at": APPROVAL.approved_at,
                "reason": APPROVAL.reason,
                "customers_sha256": APPROVAL.customers_sha256,
                "accounts_sha256": APPROVAL.accounts_sha256,
            }
        ]
