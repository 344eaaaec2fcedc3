"""What Unity Catalog keeps beside the data, and the list of statements that ran."""

import threading
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any

from databricks_stand_in.parameters import Parameter


@dataclass
class Ran:
    """A statement that a client sent.

    Attributes:
        text: as it came.
        parameters: the values for its markers.
        started: seconds since 1970.
        seconds: how long it took, once it is over.
        tags: query tags of the session and the statement.
        settings: configuration of the session.
        error: message, if it failed.
        client: owner of the token.
        session: identifier of the session.
        id: identifier of the statement, once it is under way.
        status: how it stands, as the query history names it.
        rows: number of rows of its result.
    """

    text: str
    parameters: list[Parameter]
    client: str
    session: str
    tags: dict[str, str]
    settings: dict[str, str]
    started: float = field(default_factory=time.time)
    seconds: float | None = None
    error: str | None = None
    id: str = ""
    status: str = "QUEUED"
    rows: int = 0

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


class StatementLog:
    """Statements in the order in which they came."""

    def __init__(self) -> None:
        self._ran: list[Ran] = []
        self._lock = threading.Lock()

    def add(self, ran: Ran) -> None:
        """Note a statement."""
        with self._lock:
            self._ran.append(ran)

    def of(self, client: str) -> list[Ran]:
        """Return the statements of a client."""
        with self._lock:
            return [ran for ran in self._ran if ran.client == client]

    def forget(self, client: str) -> None:
        """Start the list of a client anew."""
        with self._lock:
            self._ran = [ran for ran in self._ran if ran.client != client]


# Kind and full name of what a grant, a tag or a key is for, such as ("TABLE", "s.t").
Securable = tuple[str, str]


@dataclass
class Governance:
    """Grants, tags, keys and owners: recorded and told, and nothing else follows from them.

    Attributes:
        grants: privileges by securable and principal.
        tags: tags by securable; a column's has the table's name and its own.
        owners: owners by securable, where one was set.
        keys: definitions of primary and foreign keys by table and name.
        loaded_files: files that COPY INTO has loaded, by table.
    """

    grants: dict[Securable, dict[str, set[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    tags: dict[Securable, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    owners: dict[Securable, str] = field(default_factory=dict)
    keys: dict[str, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    loaded_files: dict[str, set[tuple[str, int]]] = field(default_factory=lambda: defaultdict(set))

    @property
    def _by_securable(self) -> tuple[dict[Securable, Any], ...]:
        return self.grants, self.tags, self.owners

    @property
    def _by_table(self) -> tuple[dict[str, Any], ...]:
        return self.keys, self.loaded_files

    def forget(self, name: str) -> None:
        """Forget what is known of a schema, a table or a volume and of all in it."""
        for register in self._by_securable:
            for key in [k for k in register if _is_within(k[1], name)]:
                del register[key]
        for by_table in self._by_table:
            for table in [t for t in by_table if _is_within(t, name)]:
                del by_table[table]

    def rename(self, old: str, new: str) -> None:
        """Keep what is known of a table under its new name."""
        for register in self._by_securable:
            for kind, name in [k for k in register if _is_within(k[1], old)]:
                register[kind, new + name[len(old) :]] = register.pop((kind, name))
        for by_table in self._by_table:
            if old in by_table:
                by_table[new] = by_table.pop(old)


def _is_within(name: str, parent: str) -> bool:
    return name == parent or name.startswith(parent + ".")
