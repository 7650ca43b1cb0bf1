#!/usr/bin/env bash
# MLflow with `postgresql://` and psycopg2 fails, although both are installed and fit each other.
#
# Seen with MLflow 3.17.2, which accepts SQLAlchemy 2.1.9. Since SQLAlchemy 2.1 an address that names no driver means
# psycopg 3, where 2.0 meant psycopg2. MLflow hands the address on as it is, so a server that ran yesterday stops with
# ModuleNotFoundError after an upgrade of SQLAlchemy alone; `mlflow db upgrade` fails likewise. `postgresql+psycopg2://`
# works with both.
#
# No server is needed: the driver is imported when the engine is made.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mlflow==3.17.2 SQLAlchemy==2.1.9 psycopg2-binary==2.9.13

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import mlflow
import sqlalchemy
from mlflow.store.db.utils import create_sqlalchemy_engine

print(f"MLflow {mlflow.__version__}, SQLAlchemy {sqlalchemy.__version__}")
named = create_sqlalchemy_engine("postgresql+psycopg2://user@127.0.0.1/mlflow")
print("postgresql+psycopg2://", named.driver)
try:
    create_sqlalchemy_engine("postgresql://user@127.0.0.1/mlflow")
except ModuleNotFoundError as error:
    print(f"postgresql://          {type(error).__name__}: {error}")
else:
    raise SystemExit("postgresql:// finds a driver now")
PYTHON
