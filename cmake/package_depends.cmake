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
                  WORKING_DIRECTORY ${folder} OUTPUT_VARIABLE needed
                  COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "^shlibs:Depends=|\n$" "" needed "${needed}")
  set(CPACK_DEBIAN_UNROLL_${component}_PACKAGE_DEPENDS "${needed}")
endforeach()
