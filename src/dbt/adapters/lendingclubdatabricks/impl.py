"""dbt-databricks with our connections; it reads the views of a schema once."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dbt.adapters.base import available
from dbt.adapters.databricks.impl import DatabricksAdapter

from dbt.adapters.lendingclubdatabricks.connections import SignedInConnectionManager
from lending_club_pipeline.warehouse.databricks.statements import quoted, text


@dataclass
class _View:
    """The query of a view in a uniform spelling, and its tags."""

    query: str
    tags: dict[str, str] = field(default_factory=dict)


class LendingClubDatabricksAdapter(DatabricksAdapter):
    """dbt-databricks with our connections; dbt derives the name of its module from this name."""

    ConnectionManager = SignedInConnectionManager

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - dbt's types
        """Prepare; nothing is sent. dbt makes an adapter for each of its invocations."""
        super().__init__(*arguments, **options)
        self._views: dict[tuple[str, str], dict[str, _View]] = {}
        self._reading: Final = threading.Lock()

    @available.parse(lambda *_: False)  # type: ignore[untyped-decorator]
    def selects(
        self,
        view: Any,  # noqa: ANN401 - dbt's relation
        query: str,
        tags: Mapping[str, Any] | None = None,
    ) -> bool:
        """Whether a view exists with this query and these tags.

        Args:
            view: relation of the view.
            query: the query; its layout does not matter.
            tags: values by tag.
        """
        place = (view.database, view.schema)
        with self._reading:
            if place not in self._views:
                self._views[place] = self._read_views(*place)
        found = self._views[place].get(view.identifier.lower())
        if found is None or found.query != _plain(query):
            return False
        # A run may have been killed between the view and its tags.
        return all(found.tags.get(tag) == str(value) for tag, value in (tags or {}).items())

    def _read_views(self, catalog: str, schema: str) -> dict[str, _View]:
        information = f"{quoted(catalog)}.information_schema"
        _, table = self.execute(
            "select views.table_name, views.view_definition, tags.tag_name, tags.tag_value "
            f"from {information}.views as views left join {information}.table_tags as tags "
            "on tags.schema_name = views.table_schema and tags.table_name = views.table_name "
            f"where views.table_schema = {text(schema.lower())}",
            fetch=True,
        )
        views: dict[str, _View] = {}
        for name, query, tag, value in table.rows:
            # The text of another owner's view is not visible.
            view = views.setdefault(name.lower(), _View(_plain(query or "")))
            if tag is not None:
                view.tags[tag] = str(value)
        return views


def _plain(query: str) -> str:
    """Return a query without white space, quotes of names and the parentheses around it."""
    plain = " ".join(query.replace("`", "").split())
    is_in_parentheses = plain.startswith("(") and plain.endswith(")")
    return plain[1:-1].strip() if is_in_parentheses else plain
