# SPDX-License-Identifier: MIT
# Compile options and the shape of our targets, each said once.

set(DRYDOCK_WARNINGS -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes
	-Wpointer-arith -Wcast-align -Wwrite-strings -Wundef -Wvla -Wconversion -Wno-sign-conversion
	-Wimplicit-fallthrough -Wnull-dereference)
if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
	# It takes a function that is inline here and extern in its header for an inline definition.
	list(APPEND DRYDOCK_WARNINGS -Wno-static-in-inline)
endif()

# The compiler's own headers, and no others: <stdio.h> and <string.h> do not exist in core.
execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=include
	OUTPUT_VARIABLE DRYDOCK_CC_INCLUDE OUTPUT_STRIP_TRAILING_WHITESPACE)

# Core's options, on the host and on bare metal alike.
function(drydock_core_options target)
	target_compile_options(${target} PRIVATE ${DRYDOCK_WARNINGS} -std=c11 -pedantic
		-ffreestanding -nostdinc -isystem ${DRYDOCK_CC_INCLUDE} -fno-common)
	set_target_properties(${target} PROPERTIES C_EXTENSIONS OFF)
	target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/core/include ${CMAKE_SOURCE_DIR}/core)
	if(DRYDOCK_COVERAGE)
		target_compile_options(${target} PRIVATE --coverage)
		target_compile_definitions(${target} PUBLIC HV_COVERAGE)
		target_link_options(${target} PUBLIC --coverage)
	endif()
endfunction()

# drydock_test(LABEL file.c [LIBS…]): one CMocka program, one ctest entry named after the file.
function(drydock_test label source)
	get_filename_component(name ${source} NAME_WE)
	add_executable(${name} ${source})
	target_compile_options(${name} PRIVATE ${DRYDOCK_WARNINGS} -Wno-missing-prototypes)
	target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
	target_link_libraries(${name} PRIVATE drydock_core drydock_fakes ${ARGN} cmocka)
	add_test(NAME ${label}.${name} COMMAND ${name})
	set_tests_properties(${label}.${name} PROPERTIES LABELS ${label} TIMEOUT 300)
endfunction()
