# The page of a report (src/report/page.h): its template, its style, Chart.js and its scripts.

# One text, in this order. main.js comes last, because it uses all others.
set(unroll_page_scripts
    format dom colours heat_map zoom line_chart line_picture time_figure samples summary curves
    confusion mistakes inside gradient weights strokes draw details compare
    main)
list(TRANSFORM unroll_page_scripts PREPEND src/report/page/)
list(TRANSFORM unroll_page_scripts APPEND .js)
unroll_join(page_scripts.js ${unroll_page_scripts})
set(page_scripts ${joined})
unroll_join(page.css src/report/page/page.css src/report/page/pictures.css)
unroll_embed(unroll_app page src/report/page/page.html ${joined} ${UNROLL_CHART_JS} ${page_scripts})
