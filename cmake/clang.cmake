# SPDX-License-Identifier: Apache-2.0
# Toolchain file of the presets that need clang: the one of this machine, whatever its version.
include(${CMAKE_CURRENT_LIST_DIR}/PlectlLlvm.cmake)
plectl_find_llvm_program(PLECTL_CLANG clang)
plectl_find_llvm_program(PLECTL_CLANGXX clang++)
set(CMAKE_C_COMPILER ${PLECTL_CLANG})
set(CMAKE_CXX_COMPILER ${PLECTL_CLANGXX})
