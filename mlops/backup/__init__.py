"""Creates and restores backups of the whole site.

The package is part of `mlops` rather than `movierec`, although a backup contains the tables of every app: the registry
and the snapshots determine its files, and a restore ends with the champion's smoke test. It is a separate layer below
`services`.
"""
