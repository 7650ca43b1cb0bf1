"""Rehearses a deployment on this machine with the commands of deploy.yml. Needs requirements-dev.txt."""
