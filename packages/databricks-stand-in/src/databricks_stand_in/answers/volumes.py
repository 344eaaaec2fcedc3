"""Volumes and the files in them.

https://docs.databricks.com/sql/language-manual/sql-ref-syntax-ddl-create-volume.html
https://docs.databricks.com/sql/language-manual/sql-ref-syntax-aux-put-into.html
"""

import pyarrow as pa

from databricks_stand_in.commands import Commands, Match, command, like
from databricks_stand_in.information_schema import OWNER
from databricks_stand_in.lexing import unquoted
from databricks_stand_in.results import Result
from databricks_stand_in.sessions import Session


@command(r"CREATE VOLUME(?P<if> IF NOT EXISTS)? (?P<name><NAME>)(?: COMMENT (?P<comment><TEXT>))?")
def create_volume(commands: Commands, session: Session, match: Match) -> Result:
    schema, volume = commands.full_name(session, match["name"]).split(".")
    commands.require_schema(schema)
    comment = unquoted(match["comment"]) if match["comment"] else None
    commands.volumes.create(schema, volume, comment, if_missing=bool(match["if"]))
    return Result.empty()


@command(r"DROP VOLUME(?P<if> IF EXISTS)? (?P<name><NAME>)")
def drop_volume(commands: Commands, session: Session, match: Match) -> Result:
    name = commands.full_name(session, match["name"])
    commands.volumes.drop(*name.split("."), if_there=bool(match["if"]))
    commands.governance.forget(name)
    return Result.empty()


@command(r"SHOW VOLUMES(?: (?:IN|FROM) (?P<name><NAME>))?(?: (?:LIKE )?(?P<like><TEXT>))?")
def show_volumes(commands: Commands, session: Session, match: Match) -> Result:
    schema = commands.schema_of(session, match["name"])
    names = like(commands.volumes.names(schema), match["like"])
    return commands.texts(database=[schema] * len(names), volume_name=names)


@command(r"(?:DESCRIBE|DESC) VOLUME (?P<name><NAME>)")
def describe_volume(commands: Commands, session: Session, match: Match) -> Result:
    schema, volume = commands.full_name(session, match["name"]).split(".")
    commands.volumes.require(schema, volume)
    return commands.texts(
        name=[volume],
        catalog=[commands.name],
        database=[schema],
        owner=[OWNER],
        storage_location=[f"/Volumes/{commands.name}/{schema}/{volume}"],
        volume_type=["MANAGED"],
        comment=[commands.volumes.comment(schema, volume)],
    )


@command(r"PUT (?P<local><TEXT>) INTO (?P<path><TEXT>)(?P<overwrite> OVERWRITE)?")
def put(commands: Commands, session: Session, match: Match) -> Result:
    return _transfer(commands, "PUT", match["path"], match["local"], bool(match["overwrite"]))


@command(r"GET (?P<path><TEXT>) TO (?P<local><TEXT>)")
def get(commands: Commands, session: Session, match: Match) -> Result:
    return _transfer(commands, "GET", match["path"], match["local"])


@command(r"REMOVE (?P<path><TEXT>)")
def remove(commands: Commands, session: Session, match: Match) -> Result:
    return _transfer(commands, "REMOVE", match["path"], None)


def _transfer(
    commands: Commands, operation: str, path: str, local: str | None, overwrite: bool = False
) -> Result:
    secret = commands.volumes.invite(operation, unquoted(path), overwrite=overwrite)
    values = {
        "operation": operation,
        "presignedUrl": f"{commands.base_url}/transfers/{secret}",
        "localFile": unquoted(local) if local else None,
        "headers": "{}",
    }
    columns = {name: pa.array([value], pa.string()) for name, value in values.items()}
    return Result.of_table(pa.table(columns), is_staging=True)


@command(r"LIST (?P<path><TEXT>)")
def list_files(commands: Commands, session: Session, match: Match) -> Result:
    path = unquoted(match["path"]).rstrip("/")
    found = commands.volumes.existing(path)
    files = sorted(found.iterdir()) if found.is_dir() else [found]
    names = [f"{path}/{f.name}" + "/" * f.is_dir() if found.is_dir() else path for f in files]
    sizes = [0 if f.is_dir() else f.stat().st_size for f in files]
    columns = {
        "path": pa.array(names, pa.string()),
        "name": pa.array([f.name + "/" * f.is_dir() for f in files], pa.string()),
        "size": pa.array(sizes, pa.int64()),
        "modification_time": pa.array([int(f.stat().st_mtime * 1000) for f in files], pa.int64()),
    }
    return Result.of_table(pa.table(columns))
