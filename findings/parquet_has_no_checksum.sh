#!/usr/bin/env bash
# A Parquet file whose stored values were changed on disk is read without an error, even by a reader told to verify.
#
# Seen with pyarrow 25.0.1. The format has a checksum for each page, but the writer leaves it out unless it is asked
# (`write_page_checksum=True`). `page_checksum_verification=True` then verifies nothing and says nothing of it. With
# both, the change is refused. So a file of ratings that must be what was written needs a checksum of its own.
#
# Here one rating in an uncompressed file is exchanged for another one: the file stays valid Parquet.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==25.0.1

cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
import struct

import pyarrow as pa
import pyarrow.parquet as pq

table = pa.table({"movie_id": [1, 2, 3], "rating": [4.5, 2.0, 5.0]})


def read_after_change(*, written: bool, verified: bool) -> str:
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, "ratings.parquet", write_page_checksum=written, **options)
    whole = open("ratings.parquet", "rb").read()
    assert whole.count(struct.pack("<d", 2.0)) == 1
    changed = whole.replace(struct.pack("<d", 2.0), struct.pack("<d", 3.5))
    try:
        read = pq.read_table(pa.BufferReader(changed), page_checksum_verification=verified)
    except OSError as error:
        return f"OSError: {str(error)[:60]}"
    return str(read["rating"].to_pylist())


print(f"pyarrow {pa.__version__}")
for written in (False, True):
    for verified in (False, True):
        found = read_after_change(written=written, verified=verified)
        print(f"checksum written: {written}, verified: {verified}: {found}")
        assert found.startswith("OSError") == (written and verified), found
PYTHON
