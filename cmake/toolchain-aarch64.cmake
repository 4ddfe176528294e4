# SPDX-License-Identifier: MIT
# Bare-metal aarch64. On an Arm host the native compiler does; elsewhere the cross compiler.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(CMAKE_HOST_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
	set(drydock_cross "")
else()
	set(drydock_cross aarch64-linux-gnu-)
endif()
set(CMAKE_C_COMPILER ${drydock_cross}gcc)
set(CMAKE_ASM_COMPILER ${drydock_cross}gcc)
set(CMAKE_AR ${drydock_cross}gcc-ar) # archives of LTO objects
set(CMAKE_RANLIB ${drydock_cross}gcc-ranlib)
set(CMAKE_OBJCOPY ${drydock_cross}objcopy)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# No SIMD registers (they are the guest's while it runs), no calls to atomics of libgcc, no PLT or
# stack protector of a hosted system. -O2 over the whole image at once, for the exits' sake; and
# symbols for the dumps' addresses. Set, not CMAKE_…_INIT: a build folder that exists follows a change here.
set(CMAKE_C_FLAGS "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/= -march=armv8-a -mgeneral-regs-only -mno-outline-atomics -fno-pie \
-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -flto=auto -fomit-frame-pointer")
set(CMAKE_ASM_FLAGS "-march=armv8-a")
