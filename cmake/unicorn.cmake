# SPDX-License-Identifier: MIT
# Unicorn >= 2.1.1: the system's where it is new enough, else the copy that `tools/drydock setup` keeps in
# DRYDOCK_CACHE. Defines the target drydock_unicorn, and DRYDOCK_UNICORN_CFLAGS for who compiles without it.

set(DRYDOCK_UNICORN_MIN 2.1.1)

find_package(PkgConfig QUIET)
if(PKG_CONFIG_FOUND)
	pkg_check_modules(UNICORN QUIET IMPORTED_TARGET unicorn>=${DRYDOCK_UNICORN_MIN})
endif()

if(TARGET PkgConfig::UNICORN)
	add_library(drydock_unicorn ALIAS PkgConfig::UNICORN)
	set(DRYDOCK_UNICORN_CFLAGS "${UNICORN_CFLAGS}" CACHE INTERNAL "")
	return()
endif()

set(drydock_unicorn_root ${DRYDOCK_CACHE}/unicorn/usr)
find_path(DRYDOCK_UNICORN_INCLUDE unicorn/unicorn.h PATHS ${drydock_unicorn_root}/include NO_DEFAULT_PATH)
find_library(DRYDOCK_UNICORN_LIBRARY unicorn NO_DEFAULT_PATH
	PATHS ${drydock_unicorn_root}/lib/${CMAKE_LIBRARY_ARCHITECTURE} ${drydock_unicorn_root}/lib)
if(NOT DRYDOCK_UNICORN_INCLUDE OR NOT DRYDOCK_UNICORN_LIBRARY)
	message(FATAL_ERROR "Unicorn ${DRYDOCK_UNICORN_MIN} or newer is neither installed nor in ${DRYDOCK_CACHE}. "
		"Run `tools/drydock setup`, which fetches it.")
endif()

# An imported library by its full path: CMake puts its folder into the rpath of what links it.
add_library(drydock_unicorn SHARED IMPORTED)
set_target_properties(drydock_unicorn PROPERTIES
	IMPORTED_LOCATION ${DRYDOCK_UNICORN_LIBRARY}
	INTERFACE_INCLUDE_DIRECTORIES ${DRYDOCK_UNICORN_INCLUDE})
set(DRYDOCK_UNICORN_CFLAGS -I${DRYDOCK_UNICORN_INCLUDE} CACHE INTERNAL "")
