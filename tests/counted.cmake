# The readers of files, built so that every basic block they enter is counted (tests/cost/counter.h).
# The fuzz preset builds them for libFuzzer as well, and with no others: nobody waits for kernels with
# all these instruments.
set(src ${PROJECT_SOURCE_DIR}/src)
file(GLOB counted_sources CONFIGURE_DEPENDS ${src}/core/*.cpp ${src}/io/*.cpp ${src}/spec/*.cpp
     ${src}/tensor/*.cpp ${src}/data/*.cpp ${src}/train/config*.cpp ${src}/train/setting*.cpp ${src}/import/*.cpp
     ${src}/train/recipes.cpp)
list(APPEND counted_sources ${src}/autograd/node.cpp ${src}/autograd/views.cpp
     ${src}/run/tfrecord.cpp ${src}/run/samples.cpp ${src}/run/metrics_log.cpp
     ${src}/run/inside_json.cpp)
if(NOT UNROLL_FUZZ)
  list(APPEND counted_sources ${src}/report/roles.cpp ${src}/autograd/load.cpp
       ${src}/export/cpp_taken_names.cpp ${src}/export/cpp_text.cpp ${src}/export/weights.cpp
       ${src}/nn/model_file.cpp ${src}/run/manifest.cpp ${src}/train/checkpoint.cpp)
else()
  # It makes the model that was read, and would need the library that runs models.
  list(REMOVE_ITEM counted_sources ${src}/import/import_model.cpp)
endif()
add_library(cost_counter STATIC ${CMAKE_CURRENT_LIST_DIR}/cost/counter.cpp)
target_include_directories(cost_counter PUBLIC ${CMAKE_CURRENT_LIST_DIR})
target_link_libraries(cost_counter PRIVATE unroll_options)
# libFuzzer has a function of this name, too.
target_link_options(cost_counter PUBLIC -Wl,--wrap=__sanitizer_cov_trace_pc)

add_library(counted_readers STATIC ${counted_sources})
target_include_directories(counted_readers PUBLIC ${PROJECT_SOURCE_DIR}/include ${src})
target_compile_options(counted_readers PUBLIC -fsanitize-coverage=trace-pc
                       $<$<CONFIG:Release>:-O1>)
unroll_unity(counted_readers)
target_link_libraries(counted_readers PUBLIC cost_counter unroll_options unroll_deps_program)
