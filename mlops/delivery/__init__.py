"""Transfers models between hosts and sites, as packages of files with checksums."""
