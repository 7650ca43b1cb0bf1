#!/usr/bin/env bash
# Two movies with identical factors get different scores from one matrix product (numpy 2.4, its own OpenBLAS).
#
# Seen with numpy 2.4.6 and scipy 1.17.1 under the kernel for processors with AVX2 (OPENBLAS_CORETYPE=Haswell), float32:
# * The factors of the last movie are a copy of the first one's. In users @ movies.T their scores differ in the last
#   bits for some users (21 of 50 here): columns at the edge of the matrix are summed in another order.
# * A user's scores differ between a product for that user alone and one for a batch of 50 (41,161 of 50,150 here),
#   and some differ when only the first 500 movies are scored.
# * scipy's sparse product of the same numbers sums each element in the order of the columns: none of this happens.
#
# So a tie on paper is no tie in memory, and a list can change with the batch size or with the movies left out.
# A recommender that promises the same list must not rank raw products of BLAS.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep -qw avx2 /proc/cpuinfo || { echo "needs a processor with AVX2"; exit 1; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1

OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 "$work/venv/bin/python" - <<'PYTHON'
import numpy as np
from scipy.sparse import csr_matrix

rng = np.random.default_rng(0)
movies = rng.standard_normal((1003, 64)).astype(np.float32)
movies[-1] = movies[0]
users = rng.standard_normal((50, 64)).astype(np.float32)


def differences(product):
    batch = product(users, movies.T)
    alone = np.vstack([product(user[None], movies.T) for user in users])
    some = product(users, movies[:500].T)
    return {
        "unequal twins": int((batch[:, 0] != batch[:, -1]).sum()),
        "alone unlike in the batch": int((alone != batch).sum()),
        "fewer movies unlike all": int((some != batch[:, :500]).sum()),
    }


dense = differences(lambda a, b: a @ b)
sparse = differences(lambda a, b: csr_matrix(a) @ np.ascontiguousarray(b))
print(f"numpy {np.__version__}, BLAS:", dense)
print("scipy, sparse loop:", sparse)
assert dense["unequal twins"] > 0 and dense["alone unlike in the batch"] > 0, "BLAS now gives equal scores"
assert not any(sparse.values()), "the sparse product now depends on its shape"
PYTHON
