# All libraries come from the distribution's packages. The build fetches nothing. docs/architecture.md gives
# the reason for each library, ./dev names the Debian packages.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)  # so that a project around this one can link what it finds
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
pkg_check_modules(hwy REQUIRED IMPORTED_TARGET GLOBAL libhwy)
add_library(unroll_deps_infer INTERFACE)
target_link_libraries(unroll_deps_infer INTERFACE PkgConfig::hwy nlohmann_json::nlohmann_json
                      Threads::Threads)
if(UNROLL_PYTHON_PACKAGE)  # a wheel brings no libraries
  target_link_libraries(unroll_deps_infer INTERFACE fmt::fmt-header-only)
else()
  target_link_libraries(unroll_deps_infer INTERFACE fmt::fmt)
endif()

if(NOT UNROLL_INFER_ONLY)
  find_package(OpenSSL REQUIRED COMPONENTS Crypto)
  find_package(ZLIB REQUIRED)
  pkg_check_modules(libdeflate REQUIRED IMPORTED_TARGET GLOBAL libdeflate)
  pkg_check_modules(libzip REQUIRED IMPORTED_TARGET GLOBAL libzip)
  add_library(unroll_deps_library INTERFACE)
  target_link_libraries(unroll_deps_library INTERFACE unroll_deps_infer PkgConfig::libdeflate
                        PkgConfig::libzip ZLIB::ZLIB OpenSSL::Crypto)
endif()

if(UNROLL_PROGRAM OR UNROLL_TESTS OR UNROLL_PYTHON_PACKAGE)
  find_path(PROTOZERO_INCLUDE_DIR protozero/pbf_writer.hpp REQUIRED)  # headers alone, no config
endif()

if(UNROLL_PROGRAM OR UNROLL_TESTS)
  find_package(PNG REQUIRED)
  pkg_check_modules(libisal REQUIRED IMPORTED_TARGET libisal)
  add_library(unroll_deps_run INTERFACE)
  target_link_libraries(unroll_deps_run INTERFACE unroll_deps_library PNG::PNG PkgConfig::libisal)
  target_include_directories(unroll_deps_run SYSTEM INTERFACE ${PROTOZERO_INCLUDE_DIR})

  find_package(CLI11 REQUIRED)
  find_package(CURL REQUIRED)
  find_file(UNROLL_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js
            DOC "Chart.js 3, which becomes part of every report")
  if(NOT UNROLL_CHART_JS)
    message(FATAL_ERROR "Chart.js (chart.min.js) is missing. Install Debian's package libjs-chart.js, or "
                        "give its path: -DUNROLL_CHART_JS=FILE")
  endif()
  add_library(unroll_deps_program INTERFACE)
  target_link_libraries(unroll_deps_program INTERFACE unroll_deps_run CLI11::CLI11
                        ${CMAKE_DL_LIBS})
  # libcurl is loaded at the first download (src/app/curl_library.h). The build needs only its headers.
  target_include_directories(unroll_deps_program SYSTEM INTERFACE ${CURL_INCLUDE_DIRS})
endif()
