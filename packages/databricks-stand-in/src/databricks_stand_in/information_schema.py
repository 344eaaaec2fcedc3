"""The information schema, made as temporary views when a statement reads it.

https://docs.databricks.com/sql/language-manual/sql-ref-information-schema.html
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, Final

import pyarrow as pa
from pyspark.sql import SparkSession

from databricks_stand_in.catalogs import Catalog, Relation, read_whole, real_type
from databricks_stand_in.errors import StatementError
from databricks_stand_in.registers import Governance
from databricks_stand_in.rewriting import INFORMATION_SCHEMA
from databricks_stand_in.volumes import Volumes

_TEXT, _LONG, _TIME = pa.string(), pa.int64(), pa.timestamp("us", "UTC")
_TABLE: Final = ("table_catalog", "table_schema", "table_name")
_KEY_COLUMN: Final = re.compile(r"`((?:[^`]|``)+)`|(\w+)")

# Columns of each view; text unless said otherwise.
_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "catalogs": ("catalog_name", "catalog_owner", "comment"),
    "schemata": ("catalog_name", "schema_name", "schema_owner", "comment"),
    "tables": (
        *(*_TABLE, "table_type", "is_insertable_into", "table_owner", "comment"),
        *("created", "last_altered", "data_source_format", "storage_path"),
    ),
    "columns": (
        *(*_TABLE, "column_name", "ordinal_position", "column_default", "is_nullable"),
        *("full_data_type", "data_type", "comment"),
    ),
    "views": (*_TABLE, "view_definition", "check_option", "is_updatable", "is_materialized"),
    "volumes": (
        *("volume_catalog", "volume_schema", "volume_name", "volume_type", "volume_owner"),
        *("comment", "storage_location"),
    ),
    "schema_tags": ("catalog_name", "schema_name", "tag_name", "tag_value"),
    "table_tags": ("catalog_name", "schema_name", "table_name", "tag_name", "tag_value"),
    "column_tags": (
        *("catalog_name", "schema_name", "table_name", "column_name", "tag_name", "tag_value"),
    ),
    "table_privileges": ("grantor", "grantee", *_TABLE, "privilege_type", "is_grantable"),
    "schema_privileges": (
        *("grantor", "grantee", "catalog_name", "schema_name", "privilege_type", "is_grantable"),
    ),
    "table_constraints": (
        *("constraint_catalog", "constraint_schema", "constraint_name", *_TABLE),
        *("constraint_type", "is_deferrable", "initially_deferred", "enforced"),
    ),
    "key_column_usage": (
        *("constraint_catalog", "constraint_schema", "constraint_name", *_TABLE),
        *("column_name", "ordinal_position"),
    ),
    "constraint_column_usage": (
        *(*_TABLE, "column_name", "constraint_catalog", "constraint_schema", "constraint_name"),
    ),
    "referential_constraints": (
        *("constraint_catalog", "constraint_schema", "constraint_name"),
        *("unique_constraint_catalog", "unique_constraint_schema", "unique_constraint_name"),
        *("match_option", "update_rule", "delete_rule"),
    ),
    # No masks and no row filters can be set here, so there are none to tell of.
    "column_masks": (
        *("table_catalog", "table_schema", "table_name", "column_name", "mask_name"),
        "using_columns",
    ),
    "row_filters": (*_TABLE, "filter_name", "target_columns"),
}
_TYPES: Final = {"ordinal_position": _LONG, "created": _TIME, "last_altered": _TIME}

OWNER: Final = "warehouse"


class InformationSchema:
    """Makes the views that a statement names."""

    def __init__(
        self, name: str, catalog: Catalog, governance: Governance, volumes: Volumes
    ) -> None:
        self._name, self._catalog = name, catalog
        self._governance, self._volumes = governance, volumes
        self._rows: dict[str, Callable[[list[str]], Iterable[tuple[Any, ...]]]] = {
            "catalogs": lambda _: [(name, OWNER, None)],
            "schemata": self._schemata,
            "tables": self._tables,
            "columns": self._columns_of_tables,
            "views": self._views,
            "volumes": self._volume_rows,
            "schema_tags": lambda schemas: self._tags("SCHEMA", schemas),
            "table_tags": lambda schemas: self._tags("TABLE", schemas),
            "column_tags": lambda schemas: self._tags("COLUMN", schemas),
            "table_privileges": lambda schemas: self._privileges("TABLE", schemas),
            "schema_privileges": lambda schemas: self._privileges("SCHEMA", schemas),
            "table_constraints": self._constraints,
            "key_column_usage": self._key_columns,
            "constraint_column_usage": self._constrained_columns,
            "referential_constraints": self._references,
            "column_masks": lambda _: [],
            "row_filters": lambda _: [],
        }

    def provide(self, spark: SparkSession, views: Iterable[str], statement: str) -> None:
        """Make views in a session.

        Args:
            spark: session of the statement.
            views: names that the statement reads.
            statement: its text; only tables of schemas that it compares with are looked at.
        """
        for view in sorted(views):
            if view not in _COLUMNS:
                text = f"The table or view `system`.`information_schema`.`{view}` cannot be found."
                raise StatementError("TABLE_OR_VIEW_NOT_FOUND", "42P01", text)
            # Registers are small; to look at each table of each schema takes long.
            is_slow = view in {"tables", "columns", "views"}
            rows = read_whole(partial(self._read, view, statement if is_slow else None))
            fields = [(column, _TYPES.get(column, _TEXT)) for column in _COLUMNS[view]]
            columns = zip(*rows, strict=True) if rows else [() for _ in fields]
            arrays = [
                pa.array(values, kind) for values, (_, kind) in zip(columns, fields, strict=True)
            ]
            table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
            spark.createDataFrame(table).createOrReplaceTempView(INFORMATION_SCHEMA + view)

    def _read(self, view: str, statement: str | None) -> list[tuple[Any, ...]]:
        schemas = self._catalog.schemas() if statement is None else self._schemas_in(statement)
        return list(self._rows[view](schemas))

    def withdraw(self, spark: SparkSession, views: Iterable[str]) -> None:
        """Remove the views again."""
        for view in views:
            spark.catalog.dropTempView(INFORMATION_SCHEMA + view)

    def _schemas_in(self, statement: str) -> list[str]:
        named = re.findall(r"_schema`?\s*\)?\s*=\s*(?:lower\()?'([^']*)'", statement, re.IGNORECASE)
        schemas = self._catalog.schemas()
        others = re.search(r"_schema`?\)?\s*(?:<|>|!|like|in\b)|\bor\b", statement, re.IGNORECASE)
        if not named or others:
            return schemas
        wanted = {schema.lower() for schema in named}
        return [schema for schema in schemas if schema in wanted]

    def _relations(self, schemas: list[str]) -> Iterator[Relation]:
        for schema in schemas:
            yield from self._catalog.relations(schema)

    def _place(self, relation: Relation) -> tuple[str, str, str]:
        return self._name, relation.schema, relation.name

    def _schemata(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for schema in schemas:
            owner = self._governance.owners.get(("SCHEMA", schema), OWNER)
            yield self._name, schema, owner, self._catalog.schema_comment(schema)
        yield self._name, "information_schema", "System user", None

    def _tables(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        owners, user = self._governance.owners, self._catalog.current_user
        for relation in self._relations(schemas):
            is_table = relation.kind == "MANAGED"
            yield (
                *(*self._place(relation), relation.kind, "YES" if is_table else "NO"),
                owners.get(("TABLE", f"{relation.schema}.{relation.name}"), user),
                *(relation.table_comment, relation.created * 1000, relation.last_altered * 1000),
                *("DELTA" if is_table else "UNKNOWN_DATA_SOURCE_FORMAT", relation.location),
            )

    def _columns_of_tables(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for relation in self._relations(schemas):
            for place, field in enumerate(relation.columns.fields):
                kind = real_type(field).simpleString()
                yield (
                    *(*self._place(relation), field.name, place),
                    *(field.metadata.get("CURRENT_DEFAULT"), "YES" if field.nullable else "NO"),
                    *(kind, kind.split("(")[0].split("<")[0].upper()),
                    field.metadata.get("comment"),
                )

    def _views(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for relation in self._relations(schemas):
            if relation.kind == "VIEW":
                text = relation.view_text_in(self._name)
                yield *self._place(relation), text, "NONE", "NO", "NO"

    def _volume_rows(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for schema in schemas:
            for volume in self._volumes.names(schema):
                place = (self._name, schema, volume)
                comment = self._volumes.comment(schema, volume)
                yield *place, "MANAGED", OWNER, comment, f"/Volumes/{'/'.join(place)}"

    def _tags(self, kind: str, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for (tagged, name), tags in self._governance.tags.items():
            if tagged == kind and name.split(".")[0] in schemas:
                for tag, value in tags.items():
                    yield self._name, *name.split("."), tag, value

    def _privileges(self, kind: str, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for (granted, name), grants in self._governance.grants.items():
            if granted == kind and name.split(".")[0] in schemas:
                for principal, privileges in grants.items():
                    for privilege in sorted(privileges):
                        yield OWNER, principal, self._name, *name.split("."), privilege, "NO"

    def _keys(self, schemas: list[str]) -> Iterator[tuple[tuple[str, ...], str, str]]:
        for table, keys in self._governance.keys.items():
            schema, name = table.split(".")
            if schema in schemas:
                for key, definition in keys.items():
                    yield (self._name, schema, key, self._name, schema, name), key, definition

    def _constraints(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for place, _, definition in self._keys(schemas):
            kind = " ".join(definition.split()[:2]).upper()
            yield *place, kind, "NO", "NO", "NO"

    def _key_columns(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for place, _, definition in self._keys(schemas):
            columns = definition[definition.index("(") : definition.index(")")]
            for position, (quoted, bare) in enumerate(_KEY_COLUMN.findall(columns), 1):
                yield *place, quoted or bare, position

    def _constrained_columns(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        for row in self._key_columns(schemas):
            yield *row[3:6], row[6], *row[:3]

    def _references(self, schemas: list[str]) -> Iterator[tuple[Any, ...]]:
        """Tell which key of another table a foreign key refers to."""
        for place, _, definition in self._keys(schemas):
            target = re.search(r"REFERENCES `[^`]+`\.`([^`]+)`\.`([^`]+)`", definition)
            if target is not None:
                keys = self._governance.keys.get(f"{target[1]}.{target[2]}", {})
                primary = [name for name, body in keys.items() if body.startswith("PRIMARY")]
                for name in primary:
                    rules = ("FULL", "NO ACTION", "NO ACTION")
                    yield *place[:3], self._name, target[1], name, *rules
