# commit.h, which src/app/version.cpp alone includes: written at every build, and touched only when
# the commit has changed, so that a build of the same commit compiles nothing.
#
# As a script (cmake -DSOURCE=... -DOUTPUT=... -P commit.cmake) it writes the file; included, it says
# when.
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  set(commit "")
  find_program(git git)
  # The tree may belong to another user, and an archive may lie in somebody else's checkout.
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
