// Standard streams that were closed before the program started.
#pragma once

namespace unroll::app {

/// Opens /dev/null in place of each closed stream. Otherwise the next file to be opened would get
/// the stream's number, and output would go into that file. Call it before anything else.
///
/// A closed stdout becomes a pipe without a reader: a command that prints results then ends with
/// 141 instead of losing them and reporting success.
void open_closed_streams();

/// For a command whose results are in files: a closed stdout then discards all output.
void allow_closed_stdout();

}  // namespace unroll::app
