"""A deploy on this machine, by the lines of .github/workflows/deploy.yml. Takes what requirements-dev.txt installs."""
