"""Faults that can be switched on, for the client of one token only.

| kind | what happens |
|---|---|
| `refuse` | requests are answered with `status` (503 or 429) and `Retry-After` |
| `slow_start` | for `seconds`, requests are answered 503, as while a warehouse starts |
| `expire_token` | requests are answered 403, as with a token that has expired |
| `cut_fetch` | the connection is cut in the middle of a page of results |
| `fail` | a statement fails before it runs |
| `lose_reply` | a statement runs, then the connection is cut before the reply |
| `kill` | a process is killed (SIGKILL) before a statement runs, or `after` it |
"""

import os
import re
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from thrift.transport.TTransport import TTransportException

Kind = Literal[
    "refuse", "slow_start", "expire_token", "cut_fetch", "fail", "lose_reply", "kill", "freeze"
]
_KINDS: Final = frozenset(get_args(Kind))
_REQUESTS: Final = frozenset({"refuse", "slow_start", "expire_token"})
_STATEMENTS: Final = frozenset({"fail", "lose_reply", "kill", "freeze"})
_SIGNALS: Final = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}


class ConnectionCutError(TTransportException):
    """The connection is to be cut without a reply."""


@dataclass
class Fault:
    """A fault that is switched on.

    Attributes:
        kind: what happens.
        client: owner of the token that it is for.
        times: how often it strikes before it is over.
        at: strikes at this statement, counted from when it was switched on; 1 is the next.
        matching: strikes at statements in which this regular expression is found.
        method: strikes at requests of this Thrift method only, such as `OpenSession`.
        status: HTTP status of a refusal.
        retry_after: seconds that a refusal asks the client to wait.
        seconds: how long a slow start takes.
        skip: pages of results that come through before the connection is cut.
        condition: error condition of a failure.
        state: its SQLSTATE.
        message: its text.
        pid: process to kill or to freeze.
        after: kill after the statement instead of before it.
    """

    kind: Kind
    client: str
    times: int = 1
    at: int | None = None
    matching: str | None = None
    method: str | None = None
    status: int = 503
    retry_after: int = 1
    seconds: float = 0.0
    skip: int = 0
    condition: str = "INTERNAL_ERROR"
    state: str = "XX000"
    message: str = "A fault that was switched on."
    pid: int | None = None
    after: bool = False
    armed: float = field(default_factory=time.monotonic)
    struck: int = 0
    statements: int = 0

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(sorted(_KINDS))}")
        if self.kind in _SIGNALS and self.pid is None:
            raise ValueError(f"{self.kind} needs a pid")

    @property
    def is_over(self) -> bool:
        """Whether it has struck as often as it should."""
        if self.kind == "slow_start":
            return time.monotonic() - self.armed > self.seconds
        return self.kind != "expire_token" and self.struck >= self.times

    def meets(self, statement: str) -> bool:
        """Say whether it strikes at a statement; counts it."""
        self.statements += 1
        if self.at is not None and self.at != self.statements:
            return False
        return self.matching is None or bool(re.search(self.matching, statement, re.IGNORECASE))

    def strike(self) -> None:
        """Kill or freeze the process, which may be gone already."""
        try:
            os.kill(int(self.pid or 0), _SIGNALS[self.kind])
        except ProcessLookupError:
            return


class Faults:
    """The faults that are switched on."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._lock = threading.Lock()

    def arm(self, client: str, kind: Kind, **options: Any) -> Fault:
        """Switch a fault on for a client; see `Fault` for the options.

        Raises:
            ValueError: there is no such kind, or an option is missing.
        """
        fault = Fault(kind, client, **options)
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self, client: str) -> None:
        """Switch all faults of a client off."""
        with self._lock:
            self._armed = [fault for fault in self._armed if fault.client != client]

    def of(self, client: str) -> list[Fault]:
        """Return the faults of a client, those that are over included."""
        with self._lock:
            return [fault for fault in self._armed if fault.client == client]

    def at_request(self, client: str, method: str) -> Fault | None:
        """Return the fault with which a request is answered, if there is one."""
        with self._lock:
            for fault in self._active(client, _REQUESTS):
                if fault.method in {None, method}:
                    fault.struck += 1
                    return fault
        return None

    def at_statement(self, client: str, statement: str) -> Fault | None:
        """Return the fault that strikes at a statement, if there is one."""
        struck: Fault | None = None
        with self._lock:
            for fault in self._active(client, _STATEMENTS):
                if fault.meets(statement) and struck is None:
                    fault.struck += 1
                    struck = fault
        return struck

    def at_fetch(self, client: str) -> bool:
        """Say whether the connection is cut in this page of results."""
        with self._lock:
            for fault in self._active(client, frozenset({"cut_fetch"})):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.struck += 1
                return True
        return False

    def _active(self, client: str, kinds: frozenset[str]) -> list[Fault]:
        return [f for f in self._armed if f.client == client and f.kind in kinds and not f.is_over]
