"""dbt-databricks with our connections, which reads once what the views of a schema select."""

import threading
from typing import Any, Final

from dbt.adapters.base import available
from dbt.adapters.databricks.impl import DatabricksAdapter

from dbt.adapters.lendingclubdatabricks.connections import SignedInConnectionManager
from lending_club_pipeline.warehouse.databricks.statements import quoted, text


class LendingClubDatabricksAdapter(DatabricksAdapter):
    """dbt-databricks with our connections; from this name dbt derives that of its module."""

    ConnectionManager = SignedInConnectionManager

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - dbt's types
        """Prepare; nothing is sent. dbt makes an adapter for each of its invocations."""
        super().__init__(*arguments, **options)
        self._definitions: dict[tuple[str, str], dict[str, str]] = {}
        self._reading: Final = threading.Lock()

    @available.parse(lambda *_: False)  # type: ignore[untyped-decorator]
    def selects(self, view: Any, query: str) -> bool:  # noqa: ANN401 - dbt's relation
        """Whether a view is there and selects what a query says, but for how that is written.

        Args:
            view: relation of the view.
            query: the query.
        """
        place = (view.database, view.schema)
        with self._reading:
            if place not in self._definitions:
                self._definitions[place] = self._read_definitions(*place)
        found = self._definitions[place].get(view.identifier.lower())
        return found is not None and found == _plain(query)

    def _read_definitions(self, catalog: str, schema: str) -> dict[str, str]:
        _, rows = self.execute(
            f"select table_name, view_definition from {quoted(catalog)}.information_schema.views "
            f"where table_schema = {text(schema.lower())}",
            fetch=True,
        )
        # Of a view of somebody else there is no text.
        return {name.lower(): _plain(query or "") for name, query in rows.rows}


def _plain(query: str) -> str:
    """Return a query without white space, quotes of names and the parentheses around it."""
    plain = " ".join(query.replace("`", "").split())
    is_in_parentheses = plain.startswith("(") and plain.endswith(")")
    return plain[1:-1].strip() if is_in_parentheses else plain
