"""`python -m benchmarks --data DIR`: all quality tables."""

from benchmarks.quality import main

main()
