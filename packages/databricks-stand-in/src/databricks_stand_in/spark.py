"""The engine: Apache Spark with Delta Lake in this process."""

import logging
import os
import warnings
from pathlib import Path
from typing import Final

from pyspark.sql import SparkSession

from databricks_stand_in.jars import delta_jars
from databricks_stand_in.java import java_home

# Name of the catalog under which Spark keeps what the clients call `main`.
SPARK_CATALOG: Final = "spark_catalog"

_LOG_SETTINGS: Final = """
rootLogger.level = error
rootLogger.appenderRef.file.ref = file
appender.file.type = File
appender.file.name = file
appender.file.fileName = {log}
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d %p %c: %m%n%ex
"""

# Most statements of a test are small: the optimising compiler costs more than it saves. Without its
# size the whole heap is searched for garbage each time that classes have filled some more memory.
_JAVA: Final = (
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:MetaspaceSize=512m -XX:+ExitOnOutOfMemoryError"
)

# Half of the time of a small statement would go into compiling code for it.
_INTERPRETED: Final = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}

_LOG_OPTION: Final = "-Dlog4j2.configurationFile"

_SETTINGS: Final = {
    "spark.master": "local[2]",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.catalogImplementation": "in-memory",
    # What a SQL warehouse has by default.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.default": "delta",
    "spark.databricks.delta.properties.defaults.feature.allowColumnDefaults": "supported",
    # Small data on two cores: many partitions only cost time.
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.databricks.delta.stats.skipping": "false",
    # A list of a table's files beside each commit pays for itself only where there are many.
    "spark.databricks.delta.allFilesInCrc.enabled": "false",
    # A filter by what the other side of a join holds: looked for in every plan, never found.
    "spark.sql.optimizer.runtime.bloomFilter.enabled": "false",
    "spark.sql.optimizer.runtimeFilter.semiJoinReduction.enabled": "false",
    # Hadoop starts a process of the system for the mode of each file, for its checksum, and for
    # each rename of a log that other processes may write as well.
    "spark.delta.logStore.file.impl": "io.delta.storage.LocalLogStore",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "2",
    "spark.default.parallelism": "2",
    "spark.sql.pyspark.jvmStacktrace.enabled": "false",
    # Delta's parser does not hand parameters on to Spark's newer way of binding them.
    "spark.sql.legacy.parameterSubstitution.constantsOnly": "true",
    # Volumes are mounted where Unity Catalog has them, so that no path needs a change.
    "spark.hadoop.fs.defaultFS": "viewfs://volumes/",
}


def start_spark(folder: Path, heap: str = "2g", *, interpreted: bool = False) -> SparkSession:
    """Start Spark with all of its state in a folder.

    Args:
        folder: where the warehouse, the volumes and the log go.
        heap: memory of the Java heap.
        interpreted: compile no code for statements, which is quicker for small ones.
    """
    # Failed statements are told to the client, not to this process's output.
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL + 1)
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
    folder = folder.absolute()
    (folder / "Volumes").mkdir(parents=True)
    log_settings = folder / "log4j2.properties"
    log_settings.write_text(_LOG_SETTINGS.format(log=folder / "spark.log"))
    os.environ["JAVA_HOME"] = str(java_home(folder / "java"))
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.appName("sql-warehouse")
    settings = {
        **_SETTINGS,
        **(_INTERPRETED if interpreted else {}),
        "spark.driver.memory": heap,
        "spark.driver.extraJavaOptions": f"{_JAVA} {_LOG_OPTION}={log_settings.as_uri()}",
        "spark.jars": ",".join(str(jar) for jar in delta_jars()),
        "spark.local.dir": str(folder / "scratch"),
        "spark.sql.warehouse.dir": (folder / "tables").as_uri(),
        "spark.hadoop.fs.viewfs.mounttable.volumes.link./Volumes": (folder / "Volumes").as_uri(),
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
