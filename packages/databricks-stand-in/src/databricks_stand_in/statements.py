"""Says what a statement is and has it answered: by Spark, by the volumes or by a register.

A statement of no kind that stands here is an error, never a silent success.
"""

import re
from collections.abc import Callable
from typing import Final

from pyspark.sql import DataFrame, functions

from databricks_stand_in.answers.keys import note_key
from databricks_stand_in.catalogs import Catalog
from databricks_stand_in.commands import COMMANDS, Commands
from databricks_stand_in.errors import from_spark, not_understood
from databricks_stand_in.information_schema import InformationSchema
from databricks_stand_in.lexing import NAME, without_comments
from databricks_stand_in.parameters import Bound
from databricks_stand_in.results import Result
from databricks_stand_in.rewriting import rewrite
from databricks_stand_in.sessions import Session
from databricks_stand_in.spark import SPARK_CATALOG

NATIVE: Final = re.compile(
    r"""(?:
    (?:SELECT|WITH|VALUES|FROM|EXPLAIN)\b | \(
    | INSERT\s | MERGE\s | UPDATE\s | DELETE\s+FROM\s | TRUNCATE\s+TABLE\s
    | CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:GLOBAL\s+)?TEMP(?:ORARY)?\s+)?(?:TABLE|VIEW|FUNCTION)\s
    | CREATE\s+(?:SCHEMA|DATABASE)\s
    | DROP\s+(?:TABLE|VIEW|SCHEMA|DATABASE|FUNCTION)\s
    | ALTER\s+(?:TABLE|VIEW|SCHEMA|DATABASE)\s
    | COMMENT\s+ON\s+(?:TABLE|SCHEMA|DATABASE)\s
    | (?:DESCRIBE|DESC)\s
    | SHOW\s+(?:TABLES|VIEWS|COLUMNS|TBLPROPERTIES|FUNCTIONS
              |USER\s+FUNCTIONS|PARTITIONS|CREATE\s+TABLE)\b
    | OPTIMIZE\s | VACUUM\s | RESTORE\s | REFRESH\s+TABLE\s
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# What Unity Catalog refuses for a managed table, or what would reach outside of the warehouse.
REFUSED: Final = re.compile(
    r"""CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+[^()]*?(?:\([^)]*\)\s*)?
        (?:USING\s+(?!delta\b)\w+|LOCATION\s+['"])
      | CREATE\s+(?:SCHEMA|DATABASE)\b.*\bLOCATION\s+['"]""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_INSERT: Final = re.compile(
    rf"INSERT\s+(?:INTO|OVERWRITE)\s+(?:TABLE\s+)?(?P<name>{NAME})", re.IGNORECASE
)
_DROP: Final = re.compile(
    rf"DROP\s+(?P<kind>TABLE|VIEW|SCHEMA|DATABASE)\s+(?:IF\s+EXISTS\s+)?(?P<name>{NAME})",
    re.IGNORECASE,
)
_RENAME: Final = re.compile(
    rf"ALTER\s+(?:TABLE|VIEW)\s+(?P<name>{NAME})\s+RENAME\s+TO\s+(?P<new>{NAME})\s*$",
    re.IGNORECASE,
)
_CREATE_TABLE: Final = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{NAME})",
    re.IGNORECASE,
)
_INFORMS: Final = re.compile(r"(SHOW|DESCRIBE|DESC)\s", re.IGNORECASE)

# What Spark calls a column of SHOW …, and what a SQL warehouse calls it.
_SHOWN: Final = {
    "TABLES": {"namespace": "database"},
}


class Statements:
    """Runs statements.

    Args:
        name: the catalog's name for clients.
        catalog: what Spark has stored.
        commands: statements that are answered without Spark.
        information_schema: views that statements may read.
    """

    def __init__(
        self,
        name: str,
        catalog: Catalog,
        commands: Commands,
        information_schema: InformationSchema,
    ) -> None:
        self._name, self._catalog = name, catalog
        self._commands, self._information_schema = commands, information_schema

    def run(self, session: Session, statement: str, parameters: Bound) -> Result:
        """Run a statement and return its whole result.

        Raises:
            StatementError: it is not known, not well formed, or failed.
        """
        bare = without_comments(statement)
        try:
            for pattern, command in COMMANDS:
                if (match := pattern.fullmatch(bare)) is not None:
                    return command(self._commands, session, match)
            if NATIVE.match(bare) and not REFUSED.match(bare):
                return self._run_in_spark(session, bare, parameters)
            # What is no SQL at all is a syntax error, as Spark words it.
            session.spark._jsparkSession.sessionState().sqlParser().parsePlan(bare)
        except Exception as error:
            raise from_spark(error, self._name) from error
        raise not_understood(bare)

    def _run_in_spark(self, session: Session, bare: str, parameters: Bound) -> Result:
        rewritten = rewrite(bare, self._name)
        self._commands.enter_schema(session)
        before = self._before(session, bare)
        try:
            self._information_schema.provide(session.spark, rewritten.information_schema, bare)
            frame = session.spark.sql(rewritten.text, args=parameters or None)
            if _INFORMS.match(bare):
                frame = self._as_shown(bare, frame)
            result = Result.of_frame(frame)
        finally:
            self._information_schema.withdraw(session.spark, rewritten.information_schema)
        for name, definition in rewritten.keys:
            note_key(self._commands, session, _named(_CREATE_TABLE, bare), name, definition)
        if before is not None:
            before()
        return self._with_row_count(session, bare, result)

    def _before(self, session: Session, bare: str) -> Callable[[], None] | None:
        """Return what is to be done with the registers once the statement has succeeded."""
        if (dropped := _DROP.match(bare)) is not None:
            kind = dropped["kind"].upper()
            names_schema = kind in {"SCHEMA", "DATABASE"}
            name = self._commands.full_name(session, dropped["name"], is_schema=names_schema)
            return lambda: self._commands.forget(name, is_schema=names_schema)
        if (renamed := _RENAME.match(bare)) is not None:
            old = self._commands.full_name(session, renamed["name"])
            new = self._commands.full_name(session, renamed["new"])
            return lambda: self._commands.governance.rename(old, new)
        return None

    def _as_shown(self, bare: str, frame: DataFrame) -> DataFrame:
        """Name catalog and columns as a SQL warehouse does."""
        names = _SHOWN.get([*bare.upper().split(), ""][1], {})
        texts = {
            field.name for field in frame.schema.fields if field.dataType.typeName() == "string"
        }
        spark, client = functions.lit(SPARK_CATALOG), functions.lit(self._name)
        columns = []
        for name in frame.columns:
            column = frame[f"`{name}`"]
            column = functions.replace(column, spark, client) if name in texts else column
            columns.append(column.alias(names.get(name, name)))
        return frame.select(columns)

    def _with_row_count(self, session: Session, bare: str, result: Result) -> Result:
        """Tell how many rows were inserted, which Spark leaves to Delta's log."""
        if _INSERT.match(bare) is None:
            return result
        name = self._commands.full_name(session, _named(_INSERT, bare))
        relation = self._catalog.relation(*name.split("."))
        if relation is None:
            return result
        rows = relation.rows_inserted()
        return self._commands.rows(num_affected_rows=[rows], num_inserted_rows=[rows])


def _named(pattern: re.Pattern[str], statement: str) -> str:
    match = pattern.match(statement)
    if match is None:
        raise not_understood(statement)
    return match["name"]
