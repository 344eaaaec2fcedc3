"""Leases: one run at a time in a schema, across machines. A row names the run that holds it.

A run takes the row by one conditional UPDATE. Delta commits one of several concurrent updates; the
others fail as concurrent writers, are retried, and then find the row taken. All times are the
warehouse's.

A run that was frozen for longer than its lease notices this before its next statement, dbt's
included; docs/databricks.md describes the limits.
"""

import datetime as dt
import math
import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from lending_club_pipeline.contract.errors import WarehouseError, WarehouseLockedError
from lending_club_pipeline.files.locks import LockWait
from lending_club_pipeline.files.processes import is_running, this_machine
from lending_club_pipeline.warehouse.databricks import errors
from lending_club_pipeline.warehouse.databricks.statements import StatementSession, quoted, text

TABLE: Final = "pipeline_lease"
# A killed run keeps other machines out for that long; its own machine sees that it ended.
LEASE_SECONDS: Final = 300.0
RENEW_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 5.0
# Do not retry the release for long if the warehouse was unreachable.
_RELEASE_SECONDS: Final = 5.0
# A clock that also runs while the machine is suspended, if the system has one.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
# The leases of this process, by host, catalog and schema, for dbt's sessions.
_HELD: Final[dict[tuple[str, str, str], "Lease"]] = {}
_FREE: Final = "held_until is null or held_until < current_timestamp()"
_MISSING: Final = ("TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND")


@dataclass(frozen=True)
class Moment:
    """A moment on two clocks: a clock of a virtual machine may stop, or be set.

    Attributes:
        running: seconds that the machine has been on.
        wall: seconds since 1970.
    """

    running: float = field(default_factory=lambda: time.clock_gettime(_CLOCK))
    wall: float = field(default_factory=time.time)

    @property
    def age(self) -> float:
        """Seconds since then, by the clock that counted more."""
        now = Moment()
        return max(now.running - self.running, now.wall - self.wall)


def ensure_held(host: str, catalog: str, schema: str) -> None:
    """Check that this process still holds its lease of a schema, if it has one.

    Raises:
        WarehouseLockedError: another run has taken it.
        WarehouseError: it cannot be renewed.
    """
    lease = _HELD.get((host, catalog, schema))
    if lease is not None:
        lease.ensure()


def _shown(row: dict[str, Any]) -> str:
    """Name the run that holds, or has just released, the lease."""
    if row["machine"] is None:
        return "another run"
    host = str(row["machine"]).partition(" ")[0]
    return f"run {row['run_id']} of {host} (process {row['process']})"


@dataclass
class Lease:
    """The right to write to a schema.

    Attributes:
        session: an open session of the run.
        renewing: another session, not open yet, with which a thread renews the lease.
        wait_seconds: how long to wait for another run.
    """

    session: StatementSession
    renewing: StatementSession
    wait_seconds: float
    _holder: str = field(default_factory=lambda: uuid.uuid4().hex)
    _renewed: Moment | None = None
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
        address = self.session.address
        place = (address.host, address.catalog, address.schema_name)
        _HELD[place] = self
        thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            _HELD.pop(place, None)
            self._ended.set()
            thread.join()
            self.renewing.close()
            self._give_back()

    def ensure(self) -> None:
        """Check that this run still holds the lease; renew it if it may have expired.

        Raises:
            WarehouseLockedError: another run has taken it.
            WarehouseError: it cannot be renewed.
        """
        if self._age >= LEASE_SECONDS:
            self._renew()

    @property
    def condition(self) -> str:
        """SQL of a row: a statement that joins it fails if another run has the lease."""
        said = "another run has taken this schema"
        return (
            f"(select assert_true(count(*) = 1, {text(said)}) as held from {self._table} "
            f"where holder = {text(self._holder)})"
        )

    def lost(self) -> WarehouseLockedError:
        """Return the error for a lease that another run has taken."""
        return WarehouseLockedError(
            f"{self.session.address}: another run has taken this schema, because this one did not "
            f"renew its lease for {LEASE_SECONDS:.0f} s. Nothing has to be cleaned up; run again."
        )

    @property
    def _age(self) -> float:
        return math.inf if self._renewed is None else self._renewed.age

    @property
    def _table(self) -> str:
        address = self.session.address
        return quoted(address.catalog, address.schema_name, TABLE)

    def _take(self) -> None:
        waiting = LockWait(str(self.session.address), self.wait_seconds)
        while not self._try_to_take():
            if waiting.is_over:
                raise self._taken_by_another()
            waiting.report(_shown(self._row()))
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
        """Take the row if a condition holds or this run has it; return whether this run has it."""
        began = Moment()
        values = {
            "holder": self._holder,
            "run_id": self.session.run_id,
            "machine": this_machine(),
        }
        listed = ", ".join(f"{name} = {text(value)}" for name, value in values.items())
        rows = (session or self.session).fetch(
            f"update {self._table} set {listed}, process = {os.getpid()}, "
            f"held_until = current_timestamp() + interval {LEASE_SECONDS:.0f} seconds "
            # After a lost reply, this statement is sent twice.
            f"where ({condition}) or holder = {text(self._holder)}"
        )
        is_taken = bool(rows) and int(rows[0]["num_affected_rows"]) > 0
        if is_taken:
            self._renewed = began
        return is_taken

    def _make_table(self) -> None:
        """Make the table with its one row, in one statement, so that it is never empty."""
        address = self.session.address
        self.session.run(
            f"create schema if not exists {quoted(address.catalog, address.schema_name)}"
        )
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
                "this table and run again: the run makes it again."
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
            # The run itself notices before its next statement, and reports it.
            with suppress(WarehouseError):
                self._renew()

    def _renew(self) -> None:
        with self._lock:
            if self._age < RENEW_SECONDS / 2:
                return
            if self._set_if("false", self.renewing):
                return
        self._renewed = None
        raise self.lost()

    def _give_back(self) -> None:
        self.session.before_each = None
        seconds = min(self.session.address.retry_seconds, _RELEASE_SECONDS)
        self.session.address = self.session.address.model_copy(update={"retry_seconds": seconds})
        with suppress(WarehouseError):
            # The table was dropped or cannot be reached: the lease expires by itself.
            self.session.run(
                f"update {self._table} set holder = null, held_until = null "
                f"where holder = {text(self._holder)}"
            )
