# The page of a report (src/report/page.h): its template, its style, Chart.js and its scripts.

# One text, in this order. main.js comes last, because it uses all others.
set(unroll_page_scripts
    format dom colours heat_map zoom line_chart time_figure samples summary curves confusion mistakes
    inside gradient weights strokes draw details compare
    main)
list(TRANSFORM unroll_page_scripts PREPEND ${PROJECT_SOURCE_DIR}/src/report/page/)
list(TRANSFORM unroll_page_scripts APPEND .js)
set(unroll_page_script ${PROJECT_BINARY_DIR}/generated/page_scripts.js)
add_custom_command(OUTPUT ${unroll_page_script}
  COMMAND ${CMAKE_COMMAND} -E cat ${unroll_page_scripts} > ${unroll_page_script}
  DEPENDS ${unroll_page_scripts} COMMENT "Joining the scripts of the page" VERBATIM)
unroll_embed(unroll_app page src/report/page/page.html src/report/page/page.css ${UNROLL_CHART_JS}
             ${unroll_page_script})
