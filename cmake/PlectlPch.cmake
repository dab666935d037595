# SPDX-License-Identifier: Apache-2.0
# Precompiled headers of other projects, never of our own: they are most of what the compiler reads.
# Not for what g++ optimises: it then warns of array bounds inside of its own headers. So the release
# build also shows what a file forgets to include.

# plectl_add_pch(NAME HEADERS <a> ... LINKS x ... OPTIONS -O0 ...): what plectl_use_pch() takes. A
# target that uses it needs the same options.
function(plectl_add_pch name)
  cmake_parse_arguments(ARG "" "" "HEADERS;LINKS;OPTIONS" ${ARGN})
  if(NOT PLECTL_PCH)
    return()
  endif()
  set(source ${PROJECT_BINARY_DIR}/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Nothing but its precompiled headers.\n")
  add_library(${name} OBJECT ${source})
  target_link_libraries(${name} PRIVATE ${ARG_LINKS} plectl_options)
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

function(plectl_use_pch target name)
  if(TARGET ${name})
    target_precompile_headers(${target} REUSE_FROM ${name})
    # They are C++ headers.
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.c$")
    set_source_files_properties(${sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
