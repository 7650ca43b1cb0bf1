#!/usr/bin/env bash
# `dvc add --to-remote` of a folder leaves one hidden temporary file for each of its files on the remote.
#
# Seen with DVC 3.67.1 and a remote that is a folder. Each file is copied to `files/md5/.XXXX.tmp` and stored under its
# hash from there; the `.tmp` files stay. They hold the whole content, so a remote takes twice the room of the data, and
# more with every folder that is added. `dvc push` of the same folder leaves none.
#
# So who adds straight to a remote must remove `files/md5/.*.tmp` there, once nothing is being added.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check dvc==3.67.1
export DVC_NO_ANALYTICS=1

leftovers() { # of `dvc add` with these options, or with none of `dvc add` and `dvc push`
    local project
    project=$(mktemp -d -p "$work")
    mkdir "$project/data" "$project/remote"
    for n in 1 2 3; do echo "$n" >"$project/data/$n.txt"; done
    cd "$project"
    "$work/venv/bin/dvc" init --quiet --no-scm
    "$work/venv/bin/dvc" remote add --quiet --default storage "$project/remote"
    "$work/venv/bin/dvc" add --quiet "$@" data
    [ $# -gt 0 ] || "$work/venv/bin/dvc" push --quiet
    find remote -type f -name '.*.tmp' | wc -l
}

echo "DVC $("$work/venv/bin/dvc" --version)"
pushed=$(leftovers)
direct=$(leftovers --to-remote)
echo "temporary files on the remote for a folder of 3 files: dvc push $pushed, dvc add --to-remote $direct"
[ "$pushed" -eq 0 ] && [ "$direct" -eq 3 ]
