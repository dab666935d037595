# SPDX-License-Identifier: Apache-2.0
plectl_find_llvm_program(PLECTL_CLANG clang)
find_program(PLECTL_BPFTOOL bpftool HINTS /usr/sbin /usr/local/sbin REQUIRED)

# plectl_add_bpf(FOLDER SOURCE DEPENDS x.h ...): compiles FOLDER's bpf/NAME.bpf.c and embeds it as
# host_tools/FOLDER/bpf/NAME.skel.h, which plectl_FOLDER may include. The types that the program
# shares with its user come with it (DEPENDS, all of them below bpf/).
function(plectl_add_bpf folder source)
  cmake_parse_arguments(ARG "" "" "DEPENDS" ${ARGN})
  get_filename_component(name ${source} NAME_WE)
  set(directory ${PROJECT_BINARY_DIR}/bpf/host_tools/${folder}/bpf)
  set(object ${directory}/${name}.bpf.o)
  set(skeleton ${directory}/${name}.skel.h)
  file(MAKE_DIRECTORY ${directory})
  set(types ${ARG_DEPENDS})
  list(FILTER types EXCLUDE REGEX "\\.bpf\\.h$")
  list(TRANSFORM types REPLACE "(.+)" "echo '#include \"host_tools/${folder}/\\1\"'"
       OUTPUT_VARIABLE includes)
  list(JOIN includes " && " includes)
  list(TRANSFORM ARG_DEPENDS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(
    OUTPUT ${object}
    COMMAND
      ${PLECTL_CLANG} -target bpf -mcpu=v2 -D__TARGET_ARCH_x86 -O2 -g -Wall -Wextra -Werror
      -Wno-unused-parameter -I${PROJECT_SOURCE_DIR} -isystem ${LIBBPF_INCLUDEDIR} -isystem
      /usr/include/${CMAKE_LIBRARY_ARCHITECTURE} -c ${CMAKE_CURRENT_SOURCE_DIR}/${source} -o
      ${object}
    DEPENDS ${source} ${ARG_DEPENDS}
    COMMENT "Compiling BPF program ${source}"
    VERBATIM)
  add_custom_command(
    OUTPUT ${skeleton}
    COMMAND
      sh -c
      "{ ${includes} && echo '// NOLINTBEGIN: generated' && ${PLECTL_BPFTOOL} gen skeleton ${object} name ${name} && echo '// NOLINTEND'; } > ${skeleton}"
    DEPENDS ${object}
    COMMENT "Embedding BPF program ${name}"
    VERBATIM)
  target_sources(plectl_${folder} PRIVATE ${skeleton})
  target_include_directories(plectl_${folder} SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/bpf)
endfunction()
