"""Sessions: an isolated Spark session each, with a schema, a configuration and query tags."""

import re
import threading
import uuid
from dataclasses import dataclass, field
from typing import Final

from pyspark.sql import SparkSession

from databricks_stand_in.errors import StatementError

# https://docs.databricks.com/sql/language-manual/sql-ref-parameters.html
# Parameters of a SQL warehouse and the setting of Spark that each one is; nothing where there is
# no such thing here: no cached results, no Photon.
_PARAMETERS: Final[dict[str, str | None]] = {
    "ansi_mode": "spark.sql.ansi.enabled",
    "timezone": "spark.sql.session.timeZone",
    "legacy_time_parser_policy": "spark.sql.legacy.timeParserPolicy",
    "max_file_partition_bytes": "spark.sql.files.maxPartitionBytes",
    "use_cached_result": None,
    "statement_timeout": None,
    "enable_photon": None,
    "query_tags": None,
    # What clients ask for by its name in Spark.
    "spark.sql.ansi.enabled": "spark.sql.ansi.enabled",
    "spark.sql.session.timezone": "spark.sql.session.timeZone",
    "spark.sql.sources.partitionoverwritemode": "spark.sql.sources.partitionOverwriteMode",
    "spark.thriftserver.arrowbasedrowset.timestampasstring": None,
}


def _setting_of(name: str) -> str | None:
    """Return the setting of Spark that a parameter is, if there is one."""
    if name.lower() not in _PARAMETERS:
        text = f"Configuration {name} is not available."
        raise StatementError("CONFIG_NOT_AVAILABLE", "42K0I", text)
    return _PARAMETERS[name.lower()]


def parse_tags(text: str) -> dict[str, str]:
    r"""Read query tags as clients write them: `key:value,key2:value2`, with `\` as escape."""
    tags = {}
    for pair in re.findall(r"(?:[^,\\]|\\.)+", text):
        key, _, value = (re.sub(r"(?<!\\):", "\0", pair, count=1)).partition("\0")
        tags[_unescaped(key)] = _unescaped(value)
    return tags


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


@dataclass
class Session:
    """What a client opened.

    Attributes:
        spark: Spark session with settings and temporary views of its own.
        client: owner of the token.
        schema: current schema; it may not be there yet.
        settings: configuration as the client gave it.
        tags: query tags of the session.
        running: one statement of a session runs at a time.
    """

    spark: SparkSession
    client: str
    schema: str = "default"
    settings: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    guid: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    running: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """The identifier as clients show it."""
        return str(uuid.UUID(bytes=self.guid))

    def configure(self, name: str, value: str) -> None:
        """Set a parameter.

        Raises:
            StatementError: a SQL warehouse has no such parameter, or not this value.
        """
        key, setting = name.lower(), _setting_of(name)
        if key == "query_tags":
            self.tags = parse_tags(value)
        if setting is not None:
            self.spark.conf.set(setting, value)
        self.settings[key] = value

    def setting(self, name: str) -> str:
        """Return the value of a parameter.

        Raises:
            StatementError: a SQL warehouse has no such parameter.
        """
        setting = _setting_of(name)
        if setting is not None:
            return str(self.spark.conf.get(setting))
        return self.settings.get(name.lower(), "")
