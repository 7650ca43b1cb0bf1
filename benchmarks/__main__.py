"""`python -m benchmarks --data DIR`: benchmarks the quality of the models, then speed. Takes about an hour on two
cores.

Each part can also be run separately: `python -m benchmarks.quality`, `.fit`, `.latency` and `.scale`.
"""

from __future__ import annotations

import argparse

from benchmarks import fit, latency, quality, scale

LARGEST = scale.SIZES[-1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Print tables of quality and speed.")
    parser.add_argument("--data", required=True, help="folder that holds the data sets")
    data = parser.parse_args().data
    quality.main(["--data", data])
    fit.main(["--data", data])
    latency.main([])
    scale.main(["--ratings", str(LARGEST), "--estimators", "hybrid", "--export", "0"])


if __name__ == "__main__":
    main()
