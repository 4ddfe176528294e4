#!/bin/sh
# SPDX-License-Identifier: MIT
# Every header compiles alone (R7). Usage: check_headers.sh CC
set -eu
cd "$(dirname "$0")/.."
cc=$1
builtin=$("$cc" -print-file-name=include)
failed=0
for header in $(find core -name '*.h'); do
	"$cc" -std=c11 -pedantic -Wall -Wextra -Werror -ffreestanding -nostdinc -isystem "$builtin" \
		-Icore/include -Icore -fsyntax-only -x c "$header" || failed=1
done
for header in $(find fakes tools/host backends/unicorn -name '*.h'); do
	# shellcheck disable=SC2086
	"$cc" -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Icore/include -Icore -Ifakes -Ibackends/unicorn \
		-Itools/host ${2:-} -fsyntax-only -x c "$header" || failed=1
done
exit $failed
