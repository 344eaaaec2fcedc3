"""The Thrift calls that list what is stored: catalogs, schemas, tables, columns."""

import re
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes

from databricks_stand_in.catalogs import read_whole, real_type
from databricks_stand_in.operations import Operation, invalid
from databricks_stand_in.requests import Requests
from databricks_stand_in.results import Result


class Listings(Requests):
    """Answers requests for lists."""

    def GetCatalogs(self, req: Any) -> Any:
        """List the catalogs."""
        return self._listed(ttypes.TGetCatalogsResp, req, {"TABLE_CAT": [self._service.name]})

    def GetSchemas(self, req: Any) -> Any:
        """List schemas."""
        names = [n for n in self._catalog_schemas(req) if _like(n, req.schemaName)]
        catalogs = [self._service.name] * len(names)
        columns = {"TABLE_SCHEM": names, "TABLE_CATALOG": catalogs}
        return self._listed(ttypes.TGetSchemasResp, req, columns)

    def GetTables(self, req: Any) -> Any:
        """List tables and views."""
        kinds = {kind.upper() for kind in req.tableTypes or ["TABLE", "VIEW"]}
        rows = read_whole(
            lambda: [
                (self._service.name, r.schema, r.name, kind, r.table_comment or "")
                for r in self._relations(req)
                if (kind := "VIEW" if r.kind == "VIEW" else "TABLE") in kinds
            ]
        )
        names = ("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS")
        return self._listed(ttypes.TGetTablesResp, req, _columns(names, rows))

    def GetColumns(self, req: Any) -> Any:
        """List columns."""
        rows = read_whole(
            lambda: [
                (
                    *(self._service.name, relation.schema, relation.name, field.name),
                    *(real_type(field).simpleString().upper(), place, field.nullable),
                    field.metadata.get("comment", ""),
                )
                for relation in self._relations(req)
                for place, field in enumerate(relation.columns.fields)
                if _like(field.name, req.columnName)
            ]
        )
        rows = [(*row[:6], "YES" if row[6] else "NO", row[7]) for row in rows]
        names = (
            *("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME"),
            *("TYPE_NAME", "ORDINAL_POSITION", "IS_NULLABLE", "REMARKS"),
        )
        return self._listed(ttypes.TGetColumnsResp, req, _columns(names, rows))

    def _catalog_schemas(self, req: Any) -> list[str]:
        is_ours = (req.catalogName or self._service.name).lower() == self._service.name
        return self._service.catalog.schemas() if is_ours else []

    def _relations(self, req: Any) -> list[Any]:
        schemas = [s for s in self._catalog_schemas(req) if _like(s, req.schemaName)]
        relations = [r for s in schemas for r in self._service.catalog.relations(s)]
        return [r for r in relations if _like(r.name, req.tableName)]

    def _listed(self, answer: Callable[..., Any], req: Any, columns: dict[str, list[Any]]) -> Any:
        session = self._session(req)
        if session is None:
            return answer(status=invalid("Invalid SessionHandle"))
        kinds = {
            name: pa.int32() if name.startswith("ORDINAL") else pa.string() for name in columns
        }
        arrays = {name: pa.array(values, kinds[name]) for name, values in columns.items()}
        operation = Operation(session)
        operation.answer(Result.of_table(pa.table(arrays)))
        self._service.operations[operation.guid] = operation
        return self._answer(answer, operation, req)


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {name: [row[place] for row in rows] for place, name in enumerate(names)}


def _like(name: str, pattern: str | None) -> bool:
    """Match a pattern of JDBC: `%` is any text, `_` any character."""
    if not pattern:
        return True
    escaped = "".join({"%": ".*", "*": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(escaped, name, re.IGNORECASE) is not None
