"""Models on their way between hosts: a version as files with checksums, out of one site and into another."""
