# Writes commit.h, which only src/app/version.cpp includes. Every build runs this, but the file changes only
# with the commit. A build of the same commit therefore compiles nothing.
#
# As a script (cmake -DSOURCE=... -DOUTPUT=... -P commit.cmake) it writes the file. Included, it adds the
# target that runs the script.
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  set(commit "")
  find_program(git git)
  # The tree may belong to another user. An unpacked archive may lie inside another project's checkout.
  if(git AND EXISTS ${SOURCE}/.git)
    execute_process(COMMAND ${git} -c safe.directory=${SOURCE} -C ${SOURCE} describe --always --dirty
                            --exclude=* --abbrev=12
                    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  endif()
  file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define UNROLL_COMMIT \"@commit@\"\n" @ONLY)
  return()
endif()

set(unroll_commit ${PROJECT_BINARY_DIR}/generated/commit.h)
add_custom_target(unroll_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DOUTPUT=${unroll_commit}
          -P ${PROJECT_SOURCE_DIR}/cmake/commit.cmake
  BYPRODUCTS ${unroll_commit} COMMENT "Looking which commit this is" VERBATIM)
add_dependencies(unroll_app unroll_commit)
target_include_directories(unroll_app PRIVATE ${PROJECT_BINARY_DIR}/generated)
