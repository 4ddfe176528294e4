#!/bin/sh
# SPDX-License-Identifier: MIT
# Core compiles freestanding, with no system header in sight, for this machine and for aarch64 (R1).
# Usage: check_core_alone.sh CC…   (aarch64-linux-gnu-gcc is added where it exists)
set -eu
cd "$(dirname "$0")/.."
if command -v aarch64-linux-gnu-gcc >/dev/null 2>&1; then
	set -- "$@" aarch64-linux-gnu-gcc
fi
failed=0
for cc in "$@"; do
	builtin=$("$cc" -print-file-name=include)
	for source in $(find core -name '*.c'); do
		"$cc" -std=c11 -pedantic -Wall -Wextra -Werror -ffreestanding -nostdinc -isystem "$builtin" \
			-Icore/include -Icore -fsyntax-only "$source" || failed=1
	done
done
exit $failed
