"""Rehearses a deploy on this machine with the commands of .github/workflows/deploy.yml. Needs requirements-dev.txt."""
