"""Dumps the site's database to one file and loads it, with SQLite's backup API or pg_dump and pg_restore."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import QuerySet

from mlops.errors import BackupError

OWN_APPS = ("catalog", "recommender", "mlops")
ENVIRONMENT = {  # psycopg's parameters -> environment variables; all users of the host can read arguments
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}
OWN_FUNCTIONS = """
SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND prokind = 'f'
AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""  # excludes functions of extensions


def dump(file: Path, queries: Sequence[QuerySet[Any]]) -> list[set[str]]:
    """Writes a consistent dump of the database to `file`, without blocking writers.

    Returns the results of `queries` as of the dump. Each query must have one column and no parameters. Raises
    BackupError.
    """
    if connection.vendor == "sqlite":
        copy_sqlite(Path(connection.settings_dict["NAME"]), file)
        with closing(sqlite3.connect(file)) as copy:
            return [{row[0] for row in copy.execute(str(query.query))} for query in queries]
    program = _program("pg_dump")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        options = ("--format=custom", "--no-owner", "--no-acl", f"--snapshot={cursor.fetchone()[0]}")
        _run(program, *options, f"--file={file}", f"--dbname={connection.settings_dict['NAME']}")
        return [set(query.all()) for query in queries]


def require_loadable(file: Path) -> None:
    """Raises BackupError if a program needed to load the dump is missing or too old. SQLite needs no program."""
    if connection.vendor != "sqlite":
        _program("psql")
        _run(_program("pg_restore"), "--list", str(file))


def load(file: Path) -> None:
    """Replaces the database's content with the dump, in one transaction. Raises BackupError."""
    if connection.vendor == "sqlite":
        connection.close()
        copy_sqlite(file, Path(connection.settings_dict["NAME"]))
        return
    with connection.cursor() as cursor:
        tables = ", ".join(map(connection.ops.quote_name, connection.introspection.table_names(cursor)))
        cursor.execute(OWN_FUNCTIONS)
        functions = [name for (name,) in cursor.fetchall()]
    drop = f"DROP TABLE {tables} CASCADE;" if tables else ""
    drop += "".join(f"DROP FUNCTION {name};" for name in functions)
    reader = [_program("pg_restore"), "--no-owner", "--no-acl", "--file=-", str(file)]
    writer = [_program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    writer.append(f"--dbname={connection.settings_dict['NAME']}")
    connection.close()
    with tempfile.TemporaryFile() as errors:
        if not _pipe(reader, writer, f"BEGIN; {drop}\n", errors):
            errors.seek(0)
            raise BackupError(f"The database was not restored: {errors.read().decode(errors='replace').strip()[-500:]}")


def _pipe(reader: list[str], writer: list[str], first: str, errors: IO[bytes]) -> bool:
    """Pipes `first` and the output of `reader` into `writer`. Returns whether `writer` has committed everything.

    `writer` receives COMMIT only after `reader` has succeeded. Otherwise it rolls back.
    """
    given: dict[str, Any] = {"env": _environment(), "stderr": errors}
    with (
        subprocess.Popen(reader, stdout=subprocess.PIPE, **given) as source,
        subprocess.Popen(writer, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, **given) as target,
    ):
        assert source.stdout is not None and target.stdin is not None
        with suppress(BrokenPipeError), target.stdin as statements:
            statements.write(first.encode())
            shutil.copyfileobj(source.stdout, statements)
            if source.wait() == 0:
                statements.write(b"COMMIT;\n")
        source.stdout.close()
        return target.wait() == 0 and source.wait() == 0


def rows_by_model() -> dict[str, int]:
    """Returns the number of rows of each of the site's own models, except empty ones."""
    tables = set(connection.introspection.table_names())
    models = [model for label in OWN_APPS for model in apps.get_app_config(label).get_models()]
    counts = {model._meta.label: model._base_manager.count() for model in models if model._meta.db_table in tables}
    return {name: n for name, n in counts.items() if n}


def copy_sqlite(source: Path, target: Path) -> None:
    """Makes a consistent copy, even during writes. Replaces the content of `target` in one transaction."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # a single file, readable without a -wal file
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}") from error


def execute_sqlite(file: Path, statement: str, parameters: tuple[Any, ...]) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(statement, parameters)


def _program(name: str) -> str:
    """Returns the path of a PostgreSQL client program. Raises BackupError if it is missing or older than the server."""
    connection.ensure_connection()
    server = connection.connection.server_version // 10_000
    advice = f"the server is PostgreSQL {server}; install its client programs (Debian: postgresql-client-{server})"
    path = shutil.which(name)
    if path is None:
        raise BackupError(f"{name} is not installed: {advice}.")
    version = _run(path, "--version").strip()
    number = re.search(r"(\d+)", version)
    if number is None or int(number[1]) < server:
        raise BackupError(f"{version} is too old: {advice}.")
    return path


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupError(f"{Path(program).name} failed: {done.stderr.strip()[-500:] or 'no reason given'}")
    return done.stdout


def _environment() -> dict[str, str]:
    given = connection.get_connection_params()
    return os.environ | {name: str(given[key]) for key, name in ENVIRONMENT.items() if given.get(key)}
