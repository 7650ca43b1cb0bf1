"""Creates and restores backups of the whole site.

The package is part of `mlops`, because the registry and the snapshots determine which files a backup contains, and a
restore ends with the champion's smoke test. It is a separate layer below `services`.
"""
