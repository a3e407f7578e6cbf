# Compiler settings that every target of the project shares.
add_library(unroll_options INTERFACE)
target_compile_features(unroll_options INTERFACE cxx_std_20)
# -ffp-contract=off: multiply-adds are fused only where the source says so. This makes the bits equal on
# every compiler (docs/numerics.md). -fno-math-errno lets sqrt be one instruction.
# -fno-semantic-interposition: exported functions may be inlined inside their library.
target_compile_options(unroll_options INTERFACE -ffp-contract=off -fno-math-errno
                       -fno-semantic-interposition -Wall -Wextra
                       -Wshadow -Wnon-virtual-dtor
                       # g++ 12 wrongly sees overflows inside inlined std::string and fmt
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow$<SEMICOLON>-Wno-restrict>
                       $<$<BOOL:${UNROLL_WERROR}>:-Werror>)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
