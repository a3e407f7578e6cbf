# What `cmake --install` puts where. Three components become Debian packages (package.cmake):
# unroll_program, unroll_libraries and unroll_development.
include(CMakePackageConfigHelpers)

set(unroll_components infer)
if(NOT UNROLL_INFER_ONLY)
  list(APPEND unroll_components unroll)
endif()

# The C++ library and what it needs, which a program in C does not link by itself: stdc++ and m.
set(unroll_cxx_runtime ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(REMOVE_ITEM unroll_cxx_runtime gcc gcc_s c)
list(REMOVE_DUPLICATES unroll_cxx_runtime)
list(TRANSFORM unroll_cxx_runtime PREPEND -l OUTPUT_VARIABLE unroll_cxx_flags)
list(JOIN unroll_cxx_flags " " unroll_cxx_flags)

# unroll_pkg_config(NAME DESCRIPTION LIBS): a file of pkg-config's that finds the rest from where it
# lies itself. LIBS is what a static library needs beside itself: `pkg-config --static` adds it where
# the libraries are shared.
function(unroll_pkg_config name description libs)
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up "${up}")
  string(APPEND libs " ${unroll_cxx_flags}")
  set(private_libs "")
  if(BUILD_SHARED_LIBS)
    set(private_libs ${libs})
    set(libs "")
  endif()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/pkgconfig.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
          COMPONENT unroll_development)
endfunction()

set(unroll_package ${CMAKE_INSTALL_LIBDIR}/cmake/unroll)
foreach(component IN LISTS unroll_components)
  get_target_property(target unroll::${component} ALIASED_TARGET)
  install(TARGETS ${target} EXPORT unroll_${component}
          LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT unroll_libraries
                  NAMELINK_COMPONENT unroll_development
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT unroll_development)
  install(EXPORT unroll_${component} NAMESPACE unroll:: FILE unroll_${component}.cmake
          DESTINATION ${unroll_package} COMPONENT unroll_development)
endforeach()
if(BUILD_SHARED_LIBS)
  # The static libraries lie beside the shared ones, for -l:libunroll_infer.a.
  set(unroll_static unroll_infer)
  if(NOT UNROLL_INFER_ONLY)
    list(APPEND unroll_static unroll)
  endif()
  install(TARGETS ${unroll_static} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
          COMPONENT unroll_development)
endif()
unroll_pkg_config(unroll_infer "Runs trained recurrent neural networks" "-lfmt -pthread")
if(NOT UNROLL_INFER_ONLY)
  unroll_pkg_config(unroll "Trains and runs recurrent neural networks"
                    "-lunroll_infer -lfmt -ldeflate -lzip -lz -lcrypto -pthread")
endif()
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/unroll-config.cmake.in
  ${PROJECT_BINARY_DIR}/unroll-config.cmake INSTALL_DESTINATION ${unroll_package}
  NO_SET_AND_CHECK_MACRO)
# While major is 0, another minor version is another interface.
set(compatible SameMajorVersion)
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(compatible SameMinorVersion)
endif()
write_basic_package_version_file(${PROJECT_BINARY_DIR}/unroll-config-version.cmake
                                 COMPATIBILITY ${compatible})
install(FILES ${PROJECT_BINARY_DIR}/unroll-config.cmake
              ${PROJECT_BINARY_DIR}/unroll-config-version.cmake DESTINATION ${unroll_package}
        COMPONENT unroll_development)

if(UNROLL_INFER_ONLY)
  foreach(folder core spec io infer)
    install(DIRECTORY include/unroll/${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/unroll
            COMPONENT unroll_development)
  endforeach()
  install(FILES include/unroll/c.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/unroll
          COMPONENT unroll_development)
else()
  install(DIRECTORY include/unroll DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
          COMPONENT unroll_development)
endif()
# Packages have a longer one, which names the libraries compiled in.
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/unroll RENAME copyright
        COMPONENT unroll_licence)

if(UNROLL_PROGRAM)
  install(TARGETS unroll_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
          COMPONENT unroll_program)
  # Made by the program itself, whose commands and flags they are about.
  set(generated ${PROJECT_BINARY_DIR}/generated)
  add_custom_command(
    OUTPUT ${generated}/unroll.1.gz ${generated}/unroll.bash ${generated}/_unroll
           ${generated}/unroll.fish
    COMMAND unroll_program manual > ${generated}/unroll.1
    COMMAND gzip -9nf ${generated}/unroll.1
    COMMAND unroll_program completion bash > ${generated}/unroll.bash
    COMMAND unroll_program completion zsh > ${generated}/_unroll
    COMMAND unroll_program completion fish > ${generated}/unroll.fish
    DEPENDS unroll_program COMMENT "Asking the program for its man page and completions" VERBATIM)
  add_custom_target(unroll_manual ALL DEPENDS ${generated}/unroll.1.gz)
  set(share ${CMAKE_INSTALL_DATADIR})
  install(FILES ${generated}/unroll.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1
          COMPONENT unroll_program)
  install(FILES ${generated}/unroll.bash DESTINATION ${share}/bash-completion/completions
          RENAME unroll COMPONENT unroll_program)
  install(FILES ${generated}/_unroll DESTINATION ${share}/zsh/vendor-completions
          COMPONENT unroll_program)
  install(FILES ${generated}/unroll.fish DESTINATION ${share}/fish/vendor_completions.d
          COMPONENT unroll_program)
endif()
