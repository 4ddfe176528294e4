# SPDX-License-Identifier: MIT
# drydock_guest(NAME SOURCE…): a bare-metal aarch64 guest, from C and assembly, with the runtime of
# tests/guests/rt. Makes build/…/guests/NAME.elf and its flat image NAME.bin; the target is guest_NAME.

if(CMAKE_HOST_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
	set(DRYDOCK_GUEST_CROSS "" CACHE STRING "Prefix of the tools that build aarch64 guests")
else()
	set(DRYDOCK_GUEST_CROSS "aarch64-linux-gnu-" CACHE STRING "Prefix of the tools that build aarch64 guests")
endif()
find_program(DRYDOCK_GUEST_CC ${DRYDOCK_GUEST_CROSS}gcc)
find_program(DRYDOCK_GUEST_OBJCOPY ${DRYDOCK_GUEST_CROSS}objcopy)
if(NOT DRYDOCK_GUEST_CC OR NOT DRYDOCK_GUEST_OBJCOPY)
	message(FATAL_ERROR "${DRYDOCK_GUEST_CROSS}gcc, which builds the guests of the tests, is missing. "
		"Run `tools/drydock setup`.")
endif()

set(DRYDOCK_GUEST_DIR ${CMAKE_BINARY_DIR}/guests CACHE INTERNAL "")
set(DRYDOCK_GUEST_RT ${CMAKE_SOURCE_DIR}/tests/guests/rt)
# Strict alignment: with the MMU off all memory is Device memory. General registers only: a guest that uses
# SIMD says so in assembly.
set(DRYDOCK_GUEST_FLAGS -march=armv8-a+crc -O1 -g -std=gnu11 -ffreestanding -nostdlib -static
	-fno-stack-protector -fno-pic -no-pie -mstrict-align -mgeneral-regs-only -mno-outline-atomics
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments)

function(drydock_guest name)
	file(GLOB rt CONFIGURE_DEPENDS ${DRYDOCK_GUEST_RT}/*)
	set(rt_sources ${rt})
	list(FILTER rt_sources INCLUDE REGEX "\\.[cS]$")
	list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
	set(elf ${DRYDOCK_GUEST_DIR}/${name}.elf)
	set(bin ${DRYDOCK_GUEST_DIR}/${name}.bin)
	file(MAKE_DIRECTORY ${DRYDOCK_GUEST_DIR})
	add_custom_command(OUTPUT ${elf} ${bin}
		COMMAND ${DRYDOCK_GUEST_CC} ${DRYDOCK_GUEST_FLAGS} -I${DRYDOCK_GUEST_RT}
			-Wl,-T,${DRYDOCK_GUEST_RT}/guest.ld -o ${elf} ${sources} ${rt_sources}
		COMMAND ${DRYDOCK_GUEST_OBJCOPY} -O binary ${elf} ${bin}
		DEPENDS ${sources} ${rt} VERBATIM COMMENT "Guest ${name}")
	add_custom_target(guest_${name} ALL DEPENDS ${elf} ${bin})
endfunction()
