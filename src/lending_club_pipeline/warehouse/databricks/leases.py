"""One run at a time in a schema, whatever machine it comes from: a row that says who holds it.

The row is taken by one conditional UPDATE. Delta commits one of several at once and lets the others
fail as concurrent writers, which are retried and then find the row taken. Time is the warehouse's.
"""

import datetime as dt
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lending_club_pipeline.contract.errors import WarehouseError, WarehouseLockedError
from lending_club_pipeline.files.locks import Waiting
from lending_club_pipeline.files.processes import is_running, this_machine
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, quoted, text

TABLE: Final = "pipeline_lease"
# A killed run keeps others out for that long, unless they are on its machine and see that it ended.
LEASE_SECONDS: Final = 300.0
RENEW_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 5.0
# Whoever waited for a warehouse in vain does not wait for it again to say goodbye.
_FAREWELL_SECONDS: Final = 5.0
_FREE: Final = "held_until is null or held_until < current_timestamp()"
_MISSING: Final = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND")


def _shown(row: dict[str, Any]) -> str:
    """Name the run that holds the lease; it may have given it back a moment ago."""
    if row["machine"] is None:
        return "another run"
    host = str(row["machine"]).partition(" ")[0]
    return f"run {row['run_id']} of {host} (process {row['process']})"


@dataclass
class Lease:
    """The right to write to a schema.

    Attributes:
        session: an open session of the run.
        renewing: another one, not open, by which a thread renews the lease.
        wait_seconds: how long another run is waited for.
    """

    session: StatementSession
    renewing: StatementSession
    wait_seconds: float
    _holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    _renewed_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lease while the body runs; a thread renews it.

        Raises:
            WarehouseLockedError: another run holds it, and did not end in time.
            WarehouseError: a statement failed.
        """
        self._take()
        thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()
            self.renewing.close()
            self._give_back()

    def ensure(self) -> None:
        """Make sure that the lease is still this run's: renew it where it may have expired.

        Raises:
            WarehouseLockedError: another run has taken it.
            WarehouseError: it cannot be renewed.
        """
        if time.monotonic() - self._renewed_at >= LEASE_SECONDS:
            self._renew()

    @property
    def _table(self) -> str:
        address = self.session.address
        return quoted(address.catalog, address.schema, TABLE)

    def _take(self) -> None:
        waiting = Waiting(str(self.session.address), self.wait_seconds)
        while not self._try_to_take():
            if waiting.is_over:
                raise self._taken_by_another()
            waiting.say(_shown(self._row()))
            time.sleep(min(_POLL_SECONDS, waiting.left))

    def _try_to_take(self) -> bool:
        is_there = True
        try:
            if self._set_if(_FREE):
                return True
        except WarehouseError as error:
            if not errors.condition_in(error).startswith(_MISSING):
                raise
            is_there = False
        if not is_there:
            self._make_table()
            return self._set_if(_FREE)
        other = self._row()
        is_dead = other.get("machine") == this_machine() and not is_running(int(other["process"]))
        return is_dead and self._set_if(f"holder = {text(other['holder'])}")

    def _set_if(self, condition: str, session: StatementSession | None = None) -> bool:
        """Take the row if a condition holds, or if it is this run's already; say whether it is."""
        began = time.monotonic()
        values = {
            "holder": self._holder,
            "run_id": self.session.run_id,
            "machine": this_machine(),
        }
        listed = ", ".join(f"{name} = {text(value)}" for name, value in values.items())
        rows = (session or self.session).fetch(
            f"update {self._table} set {listed}, process = {os.getpid()}, "
            f"held_until = current_timestamp() + interval {LEASE_SECONDS:.0f} seconds "
            # A reply that was lost makes this statement come twice.
            f"where ({condition}) or holder = {text(self._holder)}"
        )
        is_taken = bool(rows) and int(rows[0]["num_affected_rows"]) > 0
        if is_taken:
            self._renewed_at = began
        return is_taken

    def _make_table(self) -> None:
        """Make the table with its one row, in one statement: nobody ever sees it without."""
        address = self.session.address
        self.session.run(f"create schema if not exists {quoted(address.catalog, address.schema)}")
        self.session.run(
            f"create table if not exists {self._table} using delta "
            "comment 'Which run of the pipeline may write to this schema, and until when.' as "
            "select cast(null as string) as holder, cast(null as string) as run_id, "
            "cast(null as string) as machine, cast(null as bigint) as process, "
            "cast(null as timestamp) as held_until"
        )

    def _row(self) -> dict[str, Any]:
        rows = self.session.fetch(f"select *, held_until is null as is_free from {self._table}")
        if len(rows) != 1:
            raise WarehouseError(
                f"{self.session.address}.{TABLE}: it holds {len(rows)} rows instead of one. Drop "
                "this table and run again: it will be made anew."
            )
        return rows[0]

    def _taken_by_another(self) -> WarehouseLockedError:
        row = self._row()
        until = row["held_until"]
        shown = f"{until:%Y-%m-%d %H:%M:%S} UTC" if isinstance(until, dt.datetime) else "now"
        waited = f" for longer than {self.wait_seconds:g} s" if self.wait_seconds else ""
        return WarehouseLockedError(
            f"{self.session.address}: {_shown(row)} is using this schema{waited}; it holds it "
            f"until {shown} and renews that while it works. Wait for it to end, let this run wait "
            "by LOCK_WAIT_SECONDS (or --wait), or stop it."
        )

    def _keep(self) -> None:
        while not self._ended.wait(RENEW_SECONDS):
            # The run itself finds out before its next statement, and says so.
            with suppress(WarehouseError):
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            if time.monotonic() - self._renewed_at < RENEW_SECONDS / 2:
                return
            if self._set_if("false", self.renewing):
                return
        self._renewed_at = -LEASE_SECONDS
        raise self._lost()

    def _lost(self) -> WarehouseLockedError:
        return WarehouseLockedError(
            f"{self.session.address}: another run has taken this schema, because this one did not "
            f"renew its lease for {LEASE_SECONDS:.0f} s. Nothing has to be cleaned up; run again."
        )

    def _give_back(self) -> None:
        self.session.before_each = None
        patience = min(self.session.address.retry_seconds, _FAREWELL_SECONDS)
        self.session.address = replace(self.session.address, retry_seconds=patience)
        with suppress(WarehouseError):
            # Dropped with its schema, or out of reach: it expires by itself.
            self.session.run(
                f"update {self._table} set holder = null, held_until = null "
                f"where holder = {text(self._holder)}"
            )
