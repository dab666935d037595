# SPDX-License-Identifier: Apache-2.0
# One place for the warning and sanitizer flags, and the two ways in which a folder becomes a target.

add_library(plectl_options INTERFACE)
target_compile_options(
  plectl_options INTERFACE -Wall -Wextra -Wconversion -Wshadow -Werror
                           $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Wold-style-cast>)
if(PLECTL_SANITIZE)
  target_compile_options(plectl_options INTERFACE -fsanitize=address,undefined
                                                  -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(plectl_options INTERFACE -fsanitize=address,undefined)
  if(PLECTL_FUZZ)
    target_compile_options(plectl_options INTERFACE -fsanitize=fuzzer-no-link)
  endif()
endif()
if(PLECTL_TSAN)
  target_compile_options(plectl_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(plectl_options INTERFACE -fsanitize=thread)
endif()

include(PlectlPch)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  plectl_add_pch(
    plectl_pch
    HEADERS <fmt/format.h> <nlohmann/json.hpp> <tl/expected.hpp> <algorithm> <chrono> <filesystem>
            <functional> <map> <optional> <set> <span> <string> <thread> <vector>
    LINKS fmt::fmt nlohmann_json::nlohmann_json tl::expected)
endif()

# plectl_add_library(FOLDER SOURCES a.cc ... LINKS x ...): the static library plectl_FOLDER.
# Includes are full paths from the root, so the root is the only include directory.
function(plectl_add_library folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_library(plectl_${folder} STATIC ${ARG_SOURCES})
  target_include_directories(plectl_${folder} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(plectl_${folder} PUBLIC ${ARG_LINKS} PRIVATE plectl_options)
  plectl_use_pch(plectl_${folder} plectl_pch)
endfunction()

# Optimising GoogleMock takes longer than it saves.
set(plectl_test_options -O0)

# plectl_add_unit_test(FOLDER SOURCES a_test.cc ... LINKS x ...): one GoogleTest binary per folder,
# each of its cases a CTest test with the label "unit".
function(plectl_add_unit_test folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${folder}_test ${ARG_SOURCES})
  target_include_directories(${folder}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${folder}_test PRIVATE ${ARG_LINKS} plectl_options GTest::gmock GTest::gtest_main)
  target_compile_options(${folder}_test PRIVATE ${plectl_test_options})
  target_compile_definitions(
    ${folder}_test PRIVATE PLECTL_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures"
                           PLECTL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  plectl_use_pch(${folder}_test plectl_test_pch)
  # Against what hangs, not against a machine that has other work.
  gtest_discover_tests(${folder}_test TEST_PREFIX "${folder}." NO_PRETTY_VALUES
                       PROPERTIES LABELS unit TIMEOUT 300)
  set_property(GLOBAL APPEND PROPERTY plectl_unit_tests ${folder}_test)
endfunction()

# plectl_list_programs(FOLDER VARIABLE): all executables of FOLDER and below but the unit tests.
function(plectl_list_programs folder variable)
  get_property(unit_tests GLOBAL PROPERTY plectl_unit_tests)
  get_property(programs DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS programs)
    get_target_property(type ${target} TYPE)
    if(NOT type STREQUAL "EXECUTABLE" OR target IN_LIST unit_tests)
      list(REMOVE_ITEM programs ${target})
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(subfolder IN LISTS below)
    plectl_list_programs(${subfolder} of_subfolder)
    list(APPEND programs ${of_subfolder})
  endforeach()
  set(${variable} ${programs} PARENT_SCOPE)
endfunction()

# plectl_add_fuzzer(NAME SOURCE LINKS...): a libFuzzer binary with its corpus in tests/fuzz/corpus/NAME.
function(plectl_add_fuzzer name source)
  add_executable(fuzz_${name} ${source})
  target_link_libraries(fuzz_${name} PRIVATE ${ARGN} plectl_options)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
endfunction()
