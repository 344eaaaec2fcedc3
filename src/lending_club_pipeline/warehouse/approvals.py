"""Approvals of held deliveries: who approved, when and why. Rows are only added."""

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from lending_club_pipeline.contract.tables import ExpectedTable

TABLE: Final = "delivery_approvals"
COMMENT: Final = "Who approved the publication of a held delivery, when (UTC) and why."

# Columns and their types; only the type of a time differs between the engines.
COLUMNS: Final = {
    "approval_id": "string",
    "as_of_date": "date",
    "approved_by": "string",
    "approved_at": "timestamp",
    "reason": "string",
    "customers_sha256": "string",
    "accounts_sha256": "string",
}
EXPECTED: Final = ExpectedTable(TABLE, COLUMNS)


@dataclass(frozen=True)
class Approval:
    """An approval of a held delivery; it is valid for exactly the files that it names.

    Attributes:
        as_of_date: business date of the delivery.
        approved_by: name of the person.
        approved_at: when, in UTC and without a time zone.
        reason: why.
        customers_sha256: SHA-256 of Customer.csv as stored.
        accounts_sha256: SHA-256 of accounts.csv as stored.
        approval_id: identifies the approval, so that it is recorded once even if sent twice.
    """

    as_of_date: dt.date
    approved_by: str
    approved_at: dt.datetime
    reason: str
    customers_sha256: str
    accounts_sha256: str
    approval_id: str = field(default_factory=lambda: uuid.uuid4().hex)


def creation(table: str, timestamp: str) -> str:
    """Return the statement that makes the table if it is missing, without options of the engine.

    Args:
        table: its qualified name.
        timestamp: the engine's type of a time without a time zone.
    """
    types = {**COLUMNS, "approved_at": timestamp}
    columns = ", ".join(f"{name} {type_}" for name, type_ in types.items())
    return f"create table if not exists {table} ({columns})"


def insertion(
    table: str, approval: Approval, timestamp: str, literal: Callable[[object], str]
) -> str:
    """Return the statement that records an approval; it may be sent twice.

    Args:
        table: its qualified name.
        approval: the approval.
        timestamp: the engine's type of a time without a time zone.
        literal: writes a value as a text literal of the engine.
    """
    types = {**COLUMNS, "approved_at": timestamp}
    values = ", ".join(
        f"cast({literal(getattr(approval, name))} as {type_})" for name, type_ in types.items()
    )
    return (
        f"insert into {table} ({', '.join(COLUMNS)}) select {values} where not exists "
        f"(select 1 from {table} where approval_id = {literal(approval.approval_id)})"
    )
