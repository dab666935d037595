# SPDX-License-Identifier: Apache-2.0
# The pages of docs/, the plans of bench/plans/ and the units of systemd as bytes of the program, so that what help names
# is wherever plectl is.

# plectl_add_docs(TARGET): adds the array plectl_docs of host_tools/cli/docs.cc to a target.
function(plectl_add_docs target)
  set(patterns docs/*.md bench/plans/*.yaml scripts/*.service scripts/systemd/*.service)
  list(TRANSFORM patterns PREPEND ${PROJECT_SOURCE_DIR}/)
  file(GLOB pages CONFIGURE_DEPENDS ${patterns})
  set(texts "")
  set(table "")
  set(number 0)
  foreach(page IN LISTS pages)
    cmake_path(GET page FILENAME name)
    string(APPEND texts "name_${number}: .asciz \"${name}\"\n"
           "begin_${number}: .incbin \"${page}\"\nend_${number}:\n")
    string(APPEND table ".quad name_${number}, begin_${number}, end_${number} - begin_${number}\n")
    math(EXPR number "${number} + 1")
  endforeach()
  set(source ${PROJECT_BINARY_DIR}/embedded_docs.S)
  file(
    CONFIGURE
    OUTPUT ${source}
    CONTENT
      ".section .rodata
${texts}
.section .data.rel.ro, \"aw\"
.balign 8
.globl plectl_docs, plectl_docs_end
plectl_docs:
${table}
plectl_docs_end:
.section .note.GNU-stack, \"\", @progbits
"
    @ONLY)
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${pages}")
  target_sources(${target} PRIVATE ${source})
endfunction()
