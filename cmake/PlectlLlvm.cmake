# SPDX-License-Identifier: Apache-2.0
# The LLVM programs of this machine; which versions will do is said in scripts/setup.

# plectl_find_llvm_program(VARIABLE NAME): the path of NAME. A -DVARIABLE=PATH of the user's is kept.
function(plectl_find_llvm_program variable name)
  if(NOT ${variable})
    execute_process(
      COMMAND ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../scripts/setup --program ${name}
      OUTPUT_VARIABLE path
      OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
    set(${variable} ${path} CACHE FILEPATH "${name}")
  endif()
endfunction()
