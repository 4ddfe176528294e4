#!/bin/sh
# SPDX-License-Identifier: MIT
# Every C file stands as .clang-format has it. Fix with: tools/check_format.sh --fix
set -eu
cd "$(dirname "$0")/.."
format=clang-format
command -v clang-format-14 >/dev/null 2>&1 && format=clang-format-14
case ${1:-} in
--fix) set -- -i ;;
*) set -- --dry-run -Werror ;;
esac
find core backends fakes tools tests \( -name '*.c' -o -name '*.h' \) -print0 |
	xargs -0 "$format" "$@"
