#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the unit tests in the counting build (preset cov) and holds every file of core to its floor.
set -eu
ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$ROOT/build/cov
info=$build/core.info

find "$build" -name '*.gcda' -exec rm -f {} +
(cd "$build" && ctest -L unit --output-on-failure --quiet)
if ! lcov --quiet --rc lcov_branch_coverage=1 --capture --directory "$build/core" \
	--base-directory "$ROOT" --no-external --output-file "$info" >"$build/lcov.log" 2>&1; then
	cat "$build/lcov.log" >&2
	exit 1
fi
python3 "$ROOT/coverage/gate.py" --root "$ROOT" --info "$info" \
	--floors "$ROOT/coverage/gate.txt" --exclusions "$ROOT/coverage/exclusions.txt"
