"""Backups of the whole site, and how they are restored.

Here and not in `movierec`, although a backup holds every app's tables: which files belong to it is what the registry
and the snapshots know, and a restore ends with the champion's smoke test. A layer of its own, below `services`.
"""
