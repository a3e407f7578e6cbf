# Files of a folder are compiled together, up to eight at a time. Their headers are read once, and their
# templates are instantiated once. This takes a third of the time. A name in an anonymous namespace must
# then be unique in the folder. The developer preset compiles each file alone and finds missing includes.
option(UNROLL_UNITY "Compile the files of a folder together" ON)

# unroll_unity(TARGET): hot files, and files with their own compile options, are still compiled alone. Other
# files have a reason: version.cpp changes with every commit, only zip_reader.cpp needs libzip, the shared
# library that runs models leaves random numbers out, and the steady tests replace malloc.
function(unroll_unity target)
  if(NOT UNROLL_UNITY)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "[.]cpp$")
  list(FILTER sources EXCLUDE REGEX "/src/(kernels|infer)/|/app/version[.]cpp$|/core/random|/data/zip_reader[.]cpp$")
  list(FILTER sources EXCLUDE REGEX "/tests/steady/")
  foreach(source IN LISTS sources)
    get_filename_component(folder ${source} DIRECTORY)
    get_filename_component(name ${folder} NAME)
    if(NOT DEFINED count_${name})
      set(count_${name} 0)
    endif()
    math(EXPR batch "${count_${name}} / 8")
    math(EXPR count_${name} "${count_${name}} + 1")
    set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${name}_${batch})
  endforeach()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  # Together, a local name seems to shadow one of another file, and the unit seems to be a header.
  set_target_properties(${target} PROPERTIES UNITY_BUILD_CODE_BEFORE_INCLUDE [[
#pragma GCC diagnostic ignored "-Wshadow"
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wsubobject-linkage"
#endif]])
endfunction()
