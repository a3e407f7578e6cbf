// What the terminal that shows stderr can do.
#pragma once

namespace unroll::app {

bool stderr_is_terminal();
/// Whether lines can be drawn again. False for TERM=dumb, or without TERM.
bool can_redraw();
/// Its width now. If it does not say: COLUMNS, or else 80.
int terminal_columns();
/// Whether the locale's characters are UTF-8, by LC_ALL, LC_CTYPE or LANG. The first that is not
/// empty decides.
bool shows_utf8();

}  // namespace unroll::app
