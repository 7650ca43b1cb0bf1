#!/usr/bin/env bash
# `dvc[s3]` cannot be installed beside a boto3 of this month: aiobotocore accepts three patch releases of botocore.
#
# Seen with DVC 3.67.1 and aiobotocore 3.10.0, which needs botocore >=1.43.115,<1.43.118; boto3 needs the botocore of its
# own number. `boto3==1.44.8` beside it is ResolutionImpossible, `boto3==1.43.117` goes. Nothing in the requirements of
# dvc or dvc-s3 says so: pip finds out two levels below.
#
# So a site that pins boto3 for itself and lets DVC talk to S3 pins the boto3 that aiobotocore lets through, or gives
# DVC an environment of its own.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"

resolves() {
    "$work/venv/bin/pip" install --dry-run --quiet --disable-pip-version-check \
        "dvc[s3]==3.67.1" aiobotocore==3.10.0 "boto3==$1" 2>"$work/$1.log"
}

if resolves 1.44.8; then
    echo "boto3 1.44.8 goes with dvc[s3] 3.67.1 now"
    exit 1
fi
grep -o "ResolutionImpossible" "$work/1.44.8.log" | sed "s/^/boto3 1.44.8:   /"
resolves 1.43.117
echo "boto3 1.43.117: resolves"
