// Standard streams that were closed before the program began.
#pragma once

namespace unroll::app {

/// Opens something in the place of each that is closed. Otherwise the next file opened would take
/// its number, and what is printed would end up in that file. Call it first of all.
///
/// A closed stdout becomes a pipe that nobody reads: what prints results then ends as with a reader
/// who has left, with 141, instead of losing them and saying that all is well.
void open_closed_streams();

/// For a command whose results are in files: a stdout that was closed takes everything.
void allow_closed_stdout();

}  // namespace unroll::app
