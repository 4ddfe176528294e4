# SPDX-License-Identifier: MIT
# drydock_guest(ARCH NAME SOURCE…): a bare-metal guest, from C and assembly, with the runtime of its
# architecture. Makes build/…/guests/NAME.elf for aarch64, build/…/guests/ARCH/NAME.elf for others, and the
# flat image NAME.bin beside it; the target is guest_NAME or guest_ARCH_NAME.

# What differs from one architecture to the other: the runtime's folder, and the flags.
# aarch64: strict alignment, as with the MMU off all memory is Device memory. All: general registers only; a
# guest that uses floating point or vectors says so in assembly.
set(DRYDOCK_GUEST_RT_aarch64 ${CMAKE_SOURCE_DIR}/tests/guests/rt)
set(DRYDOCK_GUEST_FLAGS_aarch64 -march=armv8-a+crc -mstrict-align -mgeneral-regs-only -mno-outline-atomics)
set(DRYDOCK_GUEST_RT_riscv64 ${CMAKE_SOURCE_DIR}/tests/guests/riscv64/rt)
set(DRYDOCK_GUEST_FLAGS_riscv64 -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -mstrict-align -mno-relax)

# x86_64: interrupts use the stack of the code that they come to, so there is no red zone.
set(DRYDOCK_GUEST_RT_x86_64 ${CMAKE_SOURCE_DIR}/tests/guests/x86_64/rt)
set(DRYDOCK_GUEST_FLAGS_x86_64 -m64 -march=x86-64 -mno-red-zone -mgeneral-regs-only -mcmodel=small -fcf-protection=none
	-Wl,-z,noexecstack)

set(DRYDOCK_GUEST_COMMON ${CMAKE_SOURCE_DIR}/tests/guests/common)
set(DRYDOCK_GUEST_DIR ${CMAKE_BINARY_DIR}/guests CACHE INTERNAL "")
set(DRYDOCK_GUEST_FLAGS -O1 -g -std=gnu11 -ffreestanding -nostdlib -static
	-fno-stack-protector -fno-pic -no-pie
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror
	-Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments)

foreach(arch aarch64 riscv64 x86_64)
	string(TOUPPER ${arch} upper)
	string(REPLACE _ - cross ${arch}-linux-gnu-) # as Debian writes x86_64
	if(CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL arch OR (arch STREQUAL aarch64 AND CMAKE_HOST_SYSTEM_PROCESSOR STREQUAL arm64))
		set(cross "")
	endif()
	set(DRYDOCK_GUEST_CROSS_${arch} "${cross}" CACHE STRING "Prefix of the tools that build ${arch} guests")
	find_program(DRYDOCK_GUEST_CC_${arch} ${DRYDOCK_GUEST_CROSS_${arch}}gcc)
	find_program(DRYDOCK_GUEST_OBJCOPY_${arch} ${DRYDOCK_GUEST_CROSS_${arch}}objcopy)
	if(NOT DRYDOCK_GUEST_CC_${arch} OR NOT DRYDOCK_GUEST_OBJCOPY_${arch})
		message(FATAL_ERROR "${DRYDOCK_GUEST_CROSS_${arch}}gcc, which builds the ${arch} guests of the "
			"tests, is missing. Run `tools/drydock setup`.")
	endif()
endforeach()

function(drydock_guest arch name)
	set(rt ${DRYDOCK_GUEST_RT_${arch}})
	file(GLOB rt_files CONFIGURE_DEPENDS ${rt}/* ${DRYDOCK_GUEST_COMMON}/*)
	set(rt_sources ${rt_files})
	list(FILTER rt_sources INCLUDE REGEX "\\.[cS]$")
	list(TRANSFORM ARGN PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE sources)
	set(folder ${DRYDOCK_GUEST_DIR})
	set(target guest_${name})
	if(NOT arch STREQUAL aarch64)
		set(folder ${folder}/${arch})
		set(target guest_${arch}_${name})
	endif()
	set(elf ${folder}/${name}.elf)
	set(bin ${folder}/${name}.bin)
	file(MAKE_DIRECTORY ${folder})
	add_custom_command(OUTPUT ${elf} ${bin}
		COMMAND ${DRYDOCK_GUEST_CC_${arch}} ${DRYDOCK_GUEST_FLAGS_${arch}} ${DRYDOCK_GUEST_FLAGS}
			-I${rt} -I${DRYDOCK_GUEST_COMMON} -Wl,-T,${rt}/guest.ld -o ${elf} ${sources} ${rt_sources}
		COMMAND ${DRYDOCK_GUEST_OBJCOPY_${arch}} -O binary ${elf} ${bin}
		DEPENDS ${sources} ${rt_files} VERBATIM COMMENT "Guest ${arch} ${name}")
	add_custom_target(${target} ALL DEPENDS ${elf} ${bin})
endfunction()
