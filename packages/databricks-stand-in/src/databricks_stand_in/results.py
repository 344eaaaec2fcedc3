"""Results: streamed from Spark in Arrow batches into a spool, and read from there in pages.

A statement is finished when its whole result lies in the spool, as on a real warehouse: an error
in the last row shows when the statement runs, and memory stays bounded whatever the size.
"""

import bisect
import tempfile
from collections.abc import Iterator
from typing import IO, Any, Final

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes
from pyspark.serializers import FramedSerializer
from pyspark.sql import DataFrame, functions, types
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.util import _local_iterator_from_socket

# Results up to this size stay in memory.
_SPOOL_MEMORY: Final = 8 * 2**20

_TYPES: Final = {
    types.BooleanType: ttypes.TTypeId.BOOLEAN_TYPE,
    types.ByteType: ttypes.TTypeId.TINYINT_TYPE,
    types.ShortType: ttypes.TTypeId.SMALLINT_TYPE,
    types.IntegerType: ttypes.TTypeId.INT_TYPE,
    types.LongType: ttypes.TTypeId.BIGINT_TYPE,
    types.FloatType: ttypes.TTypeId.FLOAT_TYPE,
    types.DoubleType: ttypes.TTypeId.DOUBLE_TYPE,
    types.StringType: ttypes.TTypeId.STRING_TYPE,
    types.VarcharType: ttypes.TTypeId.STRING_TYPE,
    types.CharType: ttypes.TTypeId.STRING_TYPE,
    types.TimestampType: ttypes.TTypeId.TIMESTAMP_TYPE,
    types.TimestampNTZType: ttypes.TTypeId.TIMESTAMP_TYPE,
    types.BinaryType: ttypes.TTypeId.BINARY_TYPE,
    types.ArrayType: ttypes.TTypeId.ARRAY_TYPE,
    types.MapType: ttypes.TTypeId.MAP_TYPE,
    types.StructType: ttypes.TTypeId.STRUCT_TYPE,
    types.DecimalType: ttypes.TTypeId.DECIMAL_TYPE,
    types.DateType: ttypes.TTypeId.DATE_TYPE,
    types.NullType: ttypes.TTypeId.NULL_TYPE,
}


class _Messages(FramedSerializer):
    """Frames from Spark as they are: each is one Arrow record batch without its schema."""

    def loads(self, obj: bytes) -> bytes:
        return obj


class Result:
    """Rows of a statement.

    Attributes:
        schema: Spark's types of the columns.
        rows: number of rows.
        is_staging: tells the client to transfer a file, as the only row says.
    """

    def __init__(self, schema: types.StructType, *, is_staging: bool = False) -> None:
        self.schema = schema
        self.is_staging = is_staging
        self.arrow_schema = to_arrow_schema(schema, timezone="UTC")
        self.rows = 0
        self._spool: IO[bytes] = tempfile.SpooledTemporaryFile(_SPOOL_MEMORY)  # noqa: SIM115 - closed by `close`
        # First row, offset and length of each batch.
        self._first_rows: list[int] = []
        self._extents: list[tuple[int, int]] = []

    @classmethod
    def of_frame(cls, frame: DataFrame) -> "Result":
        """Run what a data frame says and keep its rows."""
        frame = _intervals_as_text(frame)
        result = cls(frame.schema)
        if frame.columns:
            for message in _arrow_messages(frame):
                result._add(message, result._read(message).num_rows)
        return result

    @classmethod
    def of_table(cls, table: pa.Table, *, is_staging: bool = False) -> "Result":
        """Keep the rows of an Arrow table."""
        result = cls(from_arrow_schema(table.schema), is_staging=is_staging)
        for batch in table.cast(result.arrow_schema).to_batches():
            result._add(batch.serialize().to_pybytes(), batch.num_rows)
        return result

    @classmethod
    def empty(cls) -> "Result":
        """Return the result of a command that tells nothing."""
        return cls(types.StructType())

    def _add(self, message: bytes, rows: int) -> None:
        if rows:
            self._first_rows.append(self.rows)
            self._extents.append((self._spool.tell(), len(message)))
            self._spool.write(message)
            self.rows += rows

    def _read(self, message: bytes) -> pa.RecordBatch:
        return pa.ipc.read_record_batch(pa.py_buffer(message), self.arrow_schema)

    def first_row(self) -> dict[str, Any]:
        """Return the first row, or nothing if there is none."""
        page, _ = self.page(0, 1, 2**20)
        first: dict[str, Any] = self._read(page[0].batch).to_pylist()[0] if page else {}
        return first

    def page(
        self, start: int, max_rows: int, max_bytes: int
    ) -> tuple[list[ttypes.TSparkArrowBatch], int]:
        """Return Arrow batches from a row on, at least one if there is any, and their rows."""
        batches: list[ttypes.TSparkArrowBatch] = []
        rows = size = 0
        while start + rows < self.rows and rows < max_rows and (not batches or size < max_bytes):
            batch = self._batch_from(start + rows, max_rows - rows)
            batches.append(batch)
            rows += batch.rowCount
            size += len(batch.batch)
        return batches, rows

    def _batch_from(self, row: int, max_rows: int) -> ttypes.TSparkArrowBatch:
        index = bisect.bisect_right(self._first_rows, row) - 1
        offset, length = self._extents[index]
        self._spool.seek(offset)
        message = self._spool.read(length)
        ends = [*self._first_rows[1:], self.rows]
        skipped, available = row - self._first_rows[index], ends[index] - row
        if skipped or available > max_rows:
            part = self._read(message).slice(skipped, max_rows)
            message = part.serialize().to_pybytes()
        return ttypes.TSparkArrowBatch(batch=message, rowCount=min(available, max_rows))

    def metadata(self) -> ttypes.TGetResultSetMetadataResp:
        """Return what the client needs to know of the columns."""
        columns = [_column(place, field) for place, field in enumerate(self.schema.fields, 1)]
        return ttypes.TGetResultSetMetadataResp(
            status=ttypes.TStatus(statusCode=ttypes.TStatusCode.SUCCESS_STATUS),
            schema=ttypes.TTableSchema(columns=columns),
            resultFormat=ttypes.TSparkRowSetType.ARROW_BASED_SET,
            lz4Compressed=False,
            arrowSchema=self.arrow_schema.serialize().to_pybytes(),
            isStagingOperation=self.is_staging,
        )

    def close(self) -> None:
        """Give the spool back."""
        self._spool.close()


def _arrow_messages(frame: DataFrame) -> Iterator[bytes]:
    """Stream the rows partition by partition, the next one being computed meanwhile."""
    jvm = frame.sparkSession._jvm
    batches = frame._jdf.toArrowBatchRdd()
    socket = jvm.org.apache.spark.api.python.PythonRDD.toLocalIteratorAndServe(batches, True)
    return iter(_local_iterator_from_socket(socket, _Messages()))


def _intervals_as_text(frame: DataFrame) -> DataFrame:
    """Turn intervals into text, which is how a SQL warehouse sends them to this client."""
    kinds = (types.DayTimeIntervalType, types.YearMonthIntervalType, types.CalendarIntervalType)
    if not any(isinstance(field.dataType, kinds) for field in frame.schema.fields):
        return frame
    names = [f"c{number}" for number in range(len(frame.columns))]
    columns = []
    for name, field in zip(names, frame.schema.fields, strict=True):
        column = functions.col(name)
        column = column.cast("string") if isinstance(field.dataType, kinds) else column
        columns.append(column.alias(field.name))
    return frame.toDF(*names).select(columns)


def _column(place: int, field: types.StructField) -> ttypes.TColumnDesc:
    kind = _TYPES[type(field.dataType)]
    qualifiers = None
    if isinstance(field.dataType, types.DecimalType):
        numbers = {"precision": field.dataType.precision, "scale": field.dataType.scale}
        values = {k: ttypes.TTypeQualifierValue(i32Value=v) for k, v in numbers.items()}
        qualifiers = ttypes.TTypeQualifiers(qualifiers=values)
    entry = ttypes.TPrimitiveTypeEntry(type=kind, typeQualifiers=qualifiers)
    described = ttypes.TTypeDesc(types=[ttypes.TTypeEntry(primitiveEntry=entry)])
    return ttypes.TColumnDesc(columnName=field.name, typeDesc=described, position=place)
