"""What Spark's catalog holds: tables and their columns, read from its Java side in few calls."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession, types

from databricks_stand_in.spark import SPARK_CATALOG

_READ_ATTEMPTS: Final = 5
T = TypeVar("T")


def read_whole(read: Callable[[], T]) -> T:
    """Read what is made of several looks at the catalog.

    Another client may drop a schema or a table in between, of which the next look then says that
    it is not there: what was read so far is out of date, so all of it is read again.
    """
    for _ in range(_READ_ATTEMPTS - 1):
        try:
            return read()
        except (Py4JJavaError, PySparkException):
            continue
    return read()


@dataclass(frozen=True)
class Relation:
    """A table or a view.

    Attributes:
        schema: its schema.
        name: its name.
        kind: MANAGED or VIEW.
        comment: its comment, if it has one.
        created: milliseconds since 1970.
        view_text: what a view selects, in Spark's names.
        location: folder of a table.
    """

    spark: SparkSession
    schema: str
    name: str
    kind: str
    comment: str | None
    created: int
    view_text: str | None
    location: str | None

    @property
    def full_name(self) -> str:
        """The name as the registers know it."""
        return f"{self.schema}.{self.name}"

    @cached_property
    def columns(self) -> types.StructType:
        """Columns with their types and comments."""
        return self.spark.table(f"{SPARK_CATALOG}.`{self.schema}`.`{self.name}`").schema

    def view_text_in(self, catalog: str) -> str:
        """Return what a view selects, with the name that the catalog has for clients."""
        return (self.view_text or "").replace(SPARK_CATALOG, catalog)

    def delta_log(self) -> Any:
        """Return Delta's log of a table, a Java object."""
        logs = self.spark._jvm.org.apache.spark.sql.delta.DeltaLog
        return logs.forTable(self.spark._jsparkSession, self.location)

    @cached_property
    def _delta(self) -> Any:
        log = self.delta_log()
        return log.update(*(getattr(log, f"update$default${n}")() for n in (1, 2, 3)))

    @property
    def table_comment(self) -> str | None:
        """The comment, which Delta keeps for its tables."""
        return self._delta.metadata().description() if self.kind == "MANAGED" else self.comment

    @property
    def properties(self) -> dict[str, str]:
        """Table properties."""
        if self.kind != "MANAGED":
            return {}
        convert = self.spark._jvm.scala.jdk.javaapi.CollectionConverters.asJava
        return dict(convert(self._delta.metadata().configuration()))

    @property
    def last_altered(self) -> int:
        """Milliseconds since 1970 of the last commit."""
        return int(self._delta.timestamp()) if self.kind == "MANAGED" else self.created

    def rows_inserted(self) -> int:
        """Return how many rows the last commit inserted, without those it only copied."""
        metrics = self._last_metrics()
        return int(metrics.get("numOutputRows", 0)) - int(metrics.get("numCopiedRows", 0))

    def _last_metrics(self) -> dict[str, str]:
        version = int(self._delta.version())
        folder = self.location or ""
        path = f"{folder.removeprefix('file:')}/_delta_log/{version:020d}.json"
        with open(path, encoding="utf-8") as log:  # noqa: PTH123 - a path that Java gave
            for line in log:
                if (info := json.loads(line).get("commitInfo")) is not None:
                    return dict(info.get("operationMetrics") or {})
        return {}


class Catalog:
    """Names and properties of what is stored.

    Args:
        spark: any session; the catalog is one for all.
    """

    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._external: Final = spark._jsparkSession.sharedState().externalCatalog()
        self._converters: Final = spark._jvm.scala.jdk.javaapi.CollectionConverters

    @cached_property
    def current_user(self) -> str:
        """Who every client is for Spark, and so who makes the tables."""
        user: str = self._spark.sql("select current_user()").first()[0]
        return user

    def schemas(self) -> list[str]:
        """Return the names of the schemas."""
        return sorted(self._converters.asJava(self._external.listDatabases()))

    def schema_comment(self, schema: str) -> str | None:
        """Return the comment of a schema."""
        return self._external.getDatabase(schema).description() or None

    def has_schema(self, schema: str) -> bool:
        """Say whether a schema is there."""
        return bool(self._external.databaseExists(schema.lower()))

    def create_schema(self, schema: str, comment: str, *, is_lenient: bool) -> None:
        """Make a schema, whose name Spark would not let through itself.

        Args:
            schema: its name.
            comment: its comment.
            is_lenient: whether it may be there already.
        """
        jvm = self._spark._jvm
        none = jvm.PythonUtils.toScalaMap(jvm.java.util.HashMap())
        folder = self._external.getDatabase("default").locationUri().toString()
        place = jvm.java.net.URI(f"{folder.rstrip('/')}/{schema}.db")
        make = jvm.org.apache.spark.sql.catalyst.catalog.CatalogDatabase
        database = make(schema, comment, place, none)
        self._external.createDatabase(database, is_lenient)

    def relations(self, schema: str) -> list[Relation]:
        """Return the tables and views of a schema."""
        names = list(self._converters.asJava(self._external.listTables(schema)))
        found = (self.relation(schema, name) for name in sorted(names))
        # One may be dropped while others are looked at.
        return [relation for relation in found if relation is not None]

    def relation(self, schema: str, name: str) -> Relation | None:
        """Return a table or a view, or nothing if there is none."""
        schema, name = schema.lower(), name.lower()
        if not self._external.databaseExists(schema):
            return None
        if not self._external.tableExists(schema, name):
            return None
        table = self._external.getTable(schema, name)
        location = table.storage().locationUri()
        view = table.viewText()
        comment = table.comment()
        return Relation(
            spark=self._spark,
            schema=schema,
            name=name,
            kind=table.tableType().name(),
            comment=comment.get() if comment.isDefined() else None,
            created=int(table.createTime()),
            view_text=view.get() if view.isDefined() else None,
            location=location.get().toString() if location.isDefined() else None,
        )


def type_as_json(kind: types.DataType) -> dict[str, Any]:
    """Describe a type as `DESCRIBE … AS JSON` does."""
    if isinstance(kind, types.DecimalType):
        return {"name": "decimal", "precision": kind.precision, "scale": kind.scale}
    if isinstance(kind, types.ArrayType):
        element = type_as_json(kind.elementType)
        return {"name": "array", "element_type": element, "element_nullable": kind.containsNull}
    if isinstance(kind, types.MapType):
        key, value = type_as_json(kind.keyType), type_as_json(kind.valueType)
        nullable = kind.valueContainsNull
        return {"name": "map", "key_type": key, "value_type": value, "value_nullable": nullable}
    if isinstance(kind, types.StructType):
        fields = [column_as_json(field) for field in kind.fields]
        return {"name": "struct", "fields": fields}
    if isinstance(kind, types.VarcharType | types.CharType):
        return {"name": kind.typeName(), "length": kind.length}
    return {"name": _JSON_NAMES.get(kind.simpleString(), kind.simpleString())}


_JSON_NAMES: Final = {"timestamp": "timestamp_ltz"}


def column_as_json(field: types.StructField) -> dict[str, Any]:
    """Describe a column as `DESCRIBE … AS JSON` does."""
    described = {
        "name": field.name,
        "type": type_as_json(real_type(field)),
        "nullable": field.nullable,
    }
    if "comment" in field.metadata:
        described["comment"] = field.metadata["comment"]
    if "CURRENT_DEFAULT" in field.metadata:
        described["default"] = field.metadata["CURRENT_DEFAULT"]
    return described


def real_type(field: types.StructField) -> types.DataType:
    """Return the declared type, `varchar(n)` and the like included."""
    declared = field.metadata.get("__CHAR_VARCHAR_TYPE_STRING")
    return types.DataType.fromDDL(declared) if declared else field.dataType
