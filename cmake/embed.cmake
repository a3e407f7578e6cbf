# unroll_embed(TARGET NAME FILE...): makes text files part of TARGET. Its sources include "embedded/NAME.h",
# which has a std::string_view for each file: src/export/js/network.js is unroll::embedded::network_js. A
# file that changes is embedded again by the next build. Call it after unroll_unity(TARGET).
#
# As a script (cmake -DHEADER=... -DSOURCE=... "-DFILES=...;..." -P embed.cmake) it writes the two files.
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  get_filename_component(header ${HEADER} NAME)
  set(declarations "")
  file(WRITE ${SOURCE} "#include \"embedded/${header}\"\n\nusing namespace std::string_view_literals;\n\n"
                       "namespace unroll::embedded {\n")
  foreach(path IN LISTS FILES)
    get_filename_component(name ${path} NAME)
    string(MAKE_C_IDENTIFIER ${name} name)
    string(APPEND declarations "extern const std::string_view ${name};\n")
    file(READ ${path} text)
    file(APPEND ${SOURCE} "const std::string_view ${name} = R\"embedded(${text})embedded\"sv;\n")
  endforeach()
  file(APPEND ${SOURCE} "}  // namespace unroll::embedded\n")
  file(WRITE ${HEADER} "#pragma once\n\n#include <string_view>\n\nnamespace unroll::embedded {\n"
                       "${declarations}}  // namespace unroll::embedded\n")
  return()
endif()

set(unroll_embed_script ${CMAKE_CURRENT_LIST_FILE})
function(unroll_embed target name)
  set(files ${ARGN})
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ REGEX "^[^/]")
  set(folder ${PROJECT_BINARY_DIR}/generated)
  set(header ${folder}/embedded/${name}.h)
  set(source ${folder}/embedded/${name}.cpp)
  add_custom_command(OUTPUT ${header} ${source}
    COMMAND ${CMAKE_COMMAND} -DHEADER=${header} -DSOURCE=${source} "-DFILES=${files}"
            -P ${unroll_embed_script}
    DEPENDS ${files} ${unroll_embed_script}
    COMMENT "Embedding ${name}" VERBATIM)
  target_sources(${target} PRIVATE ${source} ${header})
  target_include_directories(${target} PRIVATE ${folder})
endfunction()

# unroll_join(NAME FILE...): writes one text after the other. ${joined} is then the path of the result.
function(unroll_join name)
  set(files ${ARGN})
  list(TRANSFORM files PREPEND ${PROJECT_SOURCE_DIR}/ REGEX "^[^/]")
  set(joined ${PROJECT_BINARY_DIR}/generated/${name})
  add_custom_command(OUTPUT ${joined} COMMAND ${CMAKE_COMMAND} -E cat ${files} > ${joined}
    DEPENDS ${files} COMMENT "Joining ${name}" VERBATIM)
  set(joined ${joined} PARENT_SCOPE)
endfunction()
