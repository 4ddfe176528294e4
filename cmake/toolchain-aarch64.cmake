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
set(CMAKE_OBJCOPY ${drydock_cross}objcopy)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
