# What `cpack -G DEB` makes: three Debian packages, one for each component of install.cmake.
#   unroll          the program, its man page and completions, README and docs
#   libunroll0.1    the shared libraries; the number is that of their soname
#   libunroll-dev   headers, CMake and pkg-config files, static libraries, docs and examples
set(unroll_library_package libunroll${UNROLL_SOVERSION})
set(UNROLL_PACKAGE_CONTACT "The Unroll developers <unroll@unroll.invalid>" CACHE STRING
    "Maintainer of the Debian packages: name <address>")

# Debian's own first package would be 0.1.0-1, which replaces this one.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0unroll1)
set(unroll_package_version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL unroll_program unroll_libraries unroll_development)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_PACKAGE_CONTACT "${UNROLL_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own

# Which packages these files need: package_depends.cmake.
set(CPACK_PROJECT_CONFIG_FILE ${PROJECT_SOURCE_DIR}/cmake/package_depends.cmake)
set(CPACK_UNROLL_BUILD ${PROJECT_BINARY_DIR})
set(CPACK_UNROLL_PROGRAM_FILES ${PROJECT_BINARY_DIR}/unroll)
set(CPACK_UNROLL_LIBRARIES_FILES ${PROJECT_BINARY_DIR}/libunroll.so
    ${PROJECT_BINARY_DIR}/libunroll_infer.so)

set(CPACK_DEBIAN_UNROLL_PROGRAM_PACKAGE_NAME unroll)
set(CPACK_DEBIAN_UNROLL_PROGRAM_PACKAGE_SECTION science)
# libcurl is loaded when something is downloaded.
set(CPACK_DEBIAN_UNROLL_PROGRAM_PACKAGE_RECOMMENDS "libcurl4, ca-certificates")
set(CPACK_COMPONENT_UNROLL_PROGRAM_DESCRIPTION
"train and run recurrent neural networks on the CPU
The program unroll trains recurrent networks, evaluates them and predicts
with them. It imports models that PyTorch trained, and exports models as
ONNX, NumPy files or C++. A training run gives the same bits on every machine.")

set(CPACK_DEBIAN_UNROLL_LIBRARIES_PACKAGE_NAME ${unroll_library_package})
set(CPACK_DEBIAN_UNROLL_LIBRARIES_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_UNROLL_LIBRARIES_PACKAGE_SOURCE unroll)
set(CPACK_COMPONENT_UNROLL_LIBRARIES_DESCRIPTION
"recurrent neural networks on the CPU (shared libraries)
libunroll trains and runs recurrent networks. libunroll_infer only runs
trained models, from C++ or C, and needs fewer libraries. This package has
both, for programs that were linked with them.")
# While major is 0, a patch keeps the ABI, and the soname has the minor version.
set(unroll_control ${PROJECT_BINARY_DIR}/package_control)
file(CONFIGURE OUTPUT ${unroll_control}/shlibs CONTENT
"libunroll ${UNROLL_SOVERSION} ${unroll_library_package} (>= ${PROJECT_VERSION})
libunroll_infer ${UNROLL_SOVERSION} ${unroll_library_package} (>= ${PROJECT_VERSION})\n")
file(CONFIGURE OUTPUT ${unroll_control}/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_UNROLL_LIBRARIES_PACKAGE_CONTROL_EXTRA ${unroll_control}/shlibs
    ${unroll_control}/triggers)

set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_NAME libunroll-dev)
set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_SOURCE unroll)
set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_DEPENDS
    "${unroll_library_package} (= ${unroll_package_version})")
# These are linked beside a static library.
set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_SUGGESTS
    "libfmt-dev, libdeflate-dev, libzip-dev, zlib1g-dev, libssl-dev")
# One package, unroll 0.1.0, had everything.
set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_BREAKS "unroll (<< ${unroll_package_version})")
set(CPACK_DEBIAN_UNROLL_DEVELOPMENT_PACKAGE_REPLACES "unroll (<< ${unroll_package_version})")
set(CPACK_COMPONENT_UNROLL_DEVELOPMENT_DESCRIPTION
"recurrent neural networks on the CPU (development files)
What a program in C++ or C needs to be built with libunroll or
libunroll_infer: headers, files for CMake and pkg-config, static libraries,
docs and examples.")

# /usr/share/doc. A plain `cmake --install` leaves this out.
set(unroll_docs ${PROJECT_BINARY_DIR}/package_docs)
file(GLOB_RECURSE unroll_pages CONFIGURE_DEPENDS docs/* examples/*)
add_custom_command(OUTPUT ${unroll_docs}/made
  COMMAND ${PROJECT_SOURCE_DIR}/cmake/package_docs.sh ${unroll_docs} ${unroll_library_package}
          ${unroll_package_version} ${UNROLL_PACKAGE_CONTACT}
  DEPENDS README.md CHANGELOG.md LICENSE ${unroll_pages} cmake/package_docs.sh
          cmake/package_docs.awk
  COMMENT "Preparing the docs of the packages" VERBATIM)
add_custom_target(unroll_package_docs ALL DEPENDS ${unroll_docs}/made)
# All that is packaged, and no tests: what ./dev package builds.
add_custom_target(unroll_package)
add_dependencies(unroll_package unroll_package_docs unroll_manual unroll_program unroll unroll_infer
                 unroll_shared unroll_infer_shared)
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  install(DIRECTORY ${unroll_docs}/${package} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc
          COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
include(CPack)
