# SPDX-License-Identifier: MIT
# Bare-metal x86_64. On an x86-64 host the native compiler does; elsewhere the cross compiler.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
if(CMAKE_HOST_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
	set(drydock_cross "")
else()
	set(drydock_cross x86_64-linux-gnu-)
endif()
set(CMAKE_C_COMPILER ${drydock_cross}gcc)
set(CMAKE_ASM_COMPILER ${drydock_cross}gcc)
set(CMAKE_AR ${drydock_cross}gcc-ar) # archives of LTO objects
set(CMAKE_RANLIB ${drydock_cross}gcc-ranlib)
set(CMAKE_OBJCOPY ${drydock_cross}objcopy)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# No x87, SSE or AVX registers (they are the guest's while it runs), no red zone (our own interrupts come on
# C's stack), addresses below 2 GiB, no stack protector of a hosted system, memory cleared and copied by our
# own functions: where it optimizes for size, GCC would take "rep stosb". Functions begin at 16 bytes, but not
# each loop or jump. The rest as for aarch64.
set(drydock_x86_64 "-m64 -march=x86-64 -mcmodel=small -mno-red-zone -mgeneral-regs-only -fcf-protection=none \
-falign-jumps=1 -falign-loops=1 -mstringop-strategy=libcall")
set(CMAKE_C_FLAGS "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/= ${drydock_x86_64} -fno-pie \
-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -flto=auto -fomit-frame-pointer")
set(CMAKE_ASM_FLAGS "-m64")
