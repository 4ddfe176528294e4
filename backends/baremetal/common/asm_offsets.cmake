# SPDX-License-Identifier: MIT
# Turns each "@@NAME #value@@" of the compiler's output into a #define.
file(STRINGS ${FROM} lines REGEX "^@@")
set(text "/* Made from asm_offsets.c. */\n")
foreach(line ${lines})
	string(REGEX REPLACE "^@@([A-Z0-9_]+) #?([0-9]+)@@.*" "#define \\1 \\2" define ${line})
	string(APPEND text "${define}\n")
endforeach()
file(WRITE ${TO} "${text}")
