"""Run statements in one session of Spark.

`python -m bench.spark_floor FOLDER STATEMENTS VOLUMES SCHEMA` says `ready` when Spark is up, begins
at SIGUSR1, and says `done`.
"""

import json
import shutil
import signal
import sys
from pathlib import Path

from databricks_stand_in.errors import StatementError
from databricks_stand_in.parameters import Parameter, bound
from databricks_stand_in.sessions import Session
from databricks_stand_in.warehouse import SqlWarehouse


def main() -> None:
    folder, statements, volumes = (Path(argument) for argument in sys.argv[1:4])
    schema = sys.argv[4]
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    folder.mkdir(parents=True)
    warehouse = SqlWarehouse(folder)
    shutil.copytree(volumes, folder / "spark" / "Volumes", dirs_exist_ok=True)
    service = warehouse.door.service
    session = Session(service.spark.newSession(), "floor", schema)
    print("ready", flush=True)
    signal.sigwait([signal.SIGUSR1])
    for statement, given in json.loads(statements.read_text()):
        parameters = bound([Parameter(**it) for it in given])
        try:
            service.statements.run(session, statement, parameters).close()
        except StatementError as error:
            # The first look at tables that are not there yet fails for the pipeline, too.
            if error.condition != "TABLE_OR_VIEW_NOT_FOUND":
                raise
    print("done", flush=True)
    warehouse.stop()


if __name__ == "__main__":
    main()
