# The Python package reads and writes models of other programs too: unroll_exchange has src/import and
# src/export. libzip and OpenSSL stay out of it. Python's own zipfile and binascii do their work there
# (python/src/zip_reader.cpp, python/src/base64.cpp), so that a wheel has one file and no libraries.
file(GLOB exchange_sources CONFIGURE_DEPENDS src/import/*.cpp src/export/*.cpp)
list(FILTER exchange_sources EXCLUDE REGEX "/export/(npz|base64)[.]cpp$")
add_library(unroll_exchange STATIC ${exchange_sources} src/data/image_inputs.cpp
            src/data/zip_archive.cpp src/tensor/shape.cpp)
unroll_unity(unroll_exchange)
unroll_join(network.js src/export/js/layers.js src/export/js/network.js)
unroll_embed(unroll_exchange javascript ${joined})
target_include_directories(unroll_exchange SYSTEM PRIVATE ${PROTOZERO_INCLUDE_DIR})
target_include_directories(unroll_exchange PUBLIC src)
target_compile_definitions(unroll_exchange PRIVATE UNROLL_VERSION="${PROJECT_VERSION}")
# Text and JSON: nothing here is hot.
target_compile_options(unroll_exchange PRIVATE $<$<CONFIG:Release>:-Os> -ffunction-sections -fdata-sections)
target_link_libraries(unroll_exchange PUBLIC unroll_infer PRIVATE unroll_options unroll_deps_infer)
