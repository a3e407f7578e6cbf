# The two libraries. Each is compiled once. The static library, for the program and the tests, and the
# shared one have the same objects. unroll::infer and unroll::unroll are the installed libraries.
#
# On Debian, libraries go to lib/<triplet> below every prefix: packages and `cmake --install` then
# have one layout. GNUInstallDirs alone says so of /usr only. -DCMAKE_INSTALL_LIBDIR=lib: as elsewhere.
if(PROJECT_IS_TOP_LEVEL AND CMAKE_LIBRARY_ARCHITECTURE AND EXISTS /etc/debian_version AND
   NOT DEFINED CMAKE_INSTALL_LIBDIR)  # a path set on the command line would become an absolute one
  set(CMAKE_INSTALL_LIBDIR lib/${CMAKE_LIBRARY_ARCHITECTURE} CACHE PATH "Folder of the libraries")
endif()
include(GNUInstallDirs)

function(unroll_library name)
  add_library(${name} STATIC ${ARGN})
  target_compile_features(${name} PUBLIC cxx_std_20)
  target_include_directories(${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:unroll_options>)
  unroll_unity(${name})
  # Lets the linker of the shared libraries leave out unused functions.
  target_compile_options(${name} PRIVATE -ffunction-sections -fdata-sections)
endfunction()

# While major is 0, a minor version may change the ABI.
set(UNROLL_SOVERSION ${PROJECT_VERSION_MAJOR})
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(UNROLL_SOVERSION 0.${PROJECT_VERSION_MINOR})
endif()

# unroll_publish(NAME EXPORT_NAME DEPENDENCIES OBJECTS...): makes unroll::EXPORT_NAME. The shared libunroll
# contains unroll_infer, because it calls hidden functions of it. A program links one of the two.
function(unroll_publish name export_name dependencies)
  set(target ${name})
  if(BUILD_SHARED_LIBS)
    set(target ${name}_shared)
    add_library(${target} SHARED ${ARGN})
    target_compile_features(${target} PUBLIC cxx_std_20)
    target_include_directories(${target}
      PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:${dependencies}>)
    # The compiler's flags don't hide templates of the standard library. The map does.
    set(map ${PROJECT_SOURCE_DIR}/cmake/exports.map)
    target_link_options(${target} PRIVATE -Wl,--version-script=${map} -Wl,-z,defs -Wl,--as-needed
                        -Wl,--gc-sections)
    set_target_properties(${target} PROPERTIES
      OUTPUT_NAME ${name} LINKER_LANGUAGE CXX LINK_DEPENDS ${map}
      VERSION ${PROJECT_VERSION} SOVERSION ${UNROLL_SOVERSION})
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${export_name})
  add_library(unroll::${export_name} ALIAS ${target})
endfunction()

# libunroll_infer.so is half as large without the kernels that only training calls (kTraining in
# src/kernels/table.h). It packs weights only when it loads a model, so -O2 is enough and saves 9 KB.
function(unroll_publish_infer)
  if(BUILD_SHARED_LIBS)
    add_library(unroll_infer_kernels OBJECT src/kernels/table.cpp src/kernels/gemm.cpp
                src/kernels/cells.cpp src/kernels/rows.cpp src/kernels/bf16.cpp
                src/kernels/recurrent_pack.cpp src/kernels/stack_forward.cpp)
    target_compile_definitions(unroll_infer_kernels PRIVATE UNROLL_INFERENCE)
    target_compile_options(unroll_infer_kernels PRIVATE $<$<CONFIG:Release>:-O2>)
    target_include_directories(unroll_infer_kernels PRIVATE include src)
    target_link_libraries(unroll_infer_kernels PRIVATE unroll_options unroll_deps_infer)
    set(replaced "table|gemm|cells|rows|bf16|recurrent_pack|stack_forward")
    set(training "recurrent_backward|stack_backward|stack_episodes")
    unroll_publish(unroll_infer infer unroll_deps_infer
                   $<TARGET_OBJECTS:unroll_infer_kernels> $<TARGET_OBJECTS:unroll_infer_small>
                   "$<FILTER:$<TARGET_OBJECTS:unroll_infer>,EXCLUDE,/kernels/(${replaced}|${training})[.]cpp>")
  else()
    unroll_publish(unroll_infer infer unroll_deps_infer)
  endif()
endfunction()
