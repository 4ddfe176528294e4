# SPDX-License-Identifier: MIT
# Bare-metal riscv64. On a RISC-V host the native compiler does; elsewhere the cross compiler.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
if(CMAKE_HOST_SYSTEM_PROCESSOR MATCHES "riscv64")
	set(drydock_cross "")
else()
	set(drydock_cross riscv64-linux-gnu-)
endif()
set(CMAKE_C_COMPILER ${drydock_cross}gcc)
set(CMAKE_ASM_COMPILER ${drydock_cross}gcc)
set(CMAKE_AR ${drydock_cross}gcc-ar) # archives of LTO objects
set(CMAKE_RANLIB ${drydock_cross}gcc-ranlib)
set(CMAKE_OBJCOPY ${drydock_cross}objcopy)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# No floating-point or vector registers (they are the guest's while it runs), addresses relative to the
# PC wherever the image lies, no PLT or stack protector of a hosted system. The rest as for aarch64.
set(drydock_riscv64 "-march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany")
set(CMAKE_C_FLAGS "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/= ${drydock_riscv64} -fno-pie \
-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -ffunction-sections -fdata-sections")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -flto=auto -fomit-frame-pointer")
set(CMAKE_ASM_FLAGS "${drydock_riscv64}")
