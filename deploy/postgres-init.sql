-- Run once, when the volume is empty. MLflow has a database of its own: its migrations table has the name of ours.
CREATE DATABASE mlflow;
