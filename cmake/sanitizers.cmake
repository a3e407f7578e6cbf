# Sanitizers for all code that is compiled here (the presets asan-ubsan, tsan and fuzz). A finding ends the
# program.
set(UNROLL_SANITIZE "" CACHE STRING "Sanitizers as -fsanitize has them: address,undefined or thread")
if(UNROLL_SANITIZE)
  add_compile_options(-fsanitize=${UNROLL_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer -g1)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
  add_link_options(-fsanitize=${UNROLL_SANITIZE})
  # Clang needs many minutes for these with the checks of undefined behaviour. They have vectors,
  # floating point and pointers, whose use is checked without them.
  set_source_files_properties(src/kernels/gemm.cpp src/kernels/cells.cpp src/kernels/rows.cpp
                              src/kernels/bf16.cpp PROPERTIES COMPILE_OPTIONS
                              -fno-sanitize=undefined)
endif()
