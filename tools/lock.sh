#!/usr/bin/env bash
# Renews the lock files from pyproject.toml. uv's own lock would write addresses of package indexes; this form does not.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$(command -v uv || echo .venv/bin/uv)
common=(pip compile --universal --generate-hashes --no-header --no-emit-index-url --python-version 3.11 -q pyproject.toml)
"$uv" "${common[@]}" --extra build -o requirements/run.lock
"$uv" "${common[@]}" --extra build --extra dev -c requirements/run.lock -o requirements/dev.lock
