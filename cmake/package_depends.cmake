# cpack reads this first. Which packages the program and the libraries need, as dpkg-shlibdeps reads
# it off the files. CPack can ask that itself, but then adds scripts that call ldconfig; dpkg has
# triggers for that.
if(NOT CPACK_GENERATOR STREQUAL DEB)
  return()
endif()
set(folder ${CPACK_UNROLL_BUILD}/package_control)
file(WRITE ${folder}/debian/control "")  # dpkg-shlibdeps wants one
foreach(component PROGRAM LIBRARIES)
  execute_process(COMMAND dpkg-shlibdeps -O ${CPACK_UNROLL_${component}_FILES}
                  WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE needed ERROR_VARIABLE messages
                  RESULT_VARIABLE status)
  if(status)  # otherwise it only warns that the files are not in a package yet
    message(FATAL_ERROR "dpkg-shlibdeps (of the package dpkg-dev): ${status}\n${messages}")
  endif()
  string(REGEX REPLACE "^shlibs:Depends=|\n$" "" needed "${needed}")
  set(CPACK_DEBIAN_UNROLL_${component}_PACKAGE_DEPENDS "${needed}")
endforeach()
