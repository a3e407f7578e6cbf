// The program as a user runs it: a process with arguments, environment and files for its streams.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

namespace unroll::test {

struct ProgramResult {
  int code = -1;  ///< the exit status; 128 + N where signal N ended it
  std::string out, err;
};

struct ProgramOptions {
  std::string input = {};                               ///< what stdin holds
  std::map<std::string, std::string> environment = {};  ///< beside what the test itself has
  /// A script for sh instead of the program, which is "$0" in it; the arguments are "$@".
  std::string script = {};
  bool stderr_is_terminal = false;  ///< what it shows there is in `err` all the same
  bool stdout_is_terminal = false;  ///< the same one; what it shows is in `err`
  int columns = 0;                  ///< of the terminal; 0: it does not say
};

/// Whether this machine has terminals to give.
bool has_terminals();

/// `unroll ARGUMENTS`, running. It works in an empty folder of its own, with an empty cache,
/// without the UNROLL_ variables of this process and without a way to the network.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments, const ProgramOptions& options = {});
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Returns once stdout holds `text`; throws std::runtime_error when the program ends before.
  void wait_for_output(const std::string& text);
  /// The same of stderr, also of a terminal.
  void wait_for_error(const std::string& text);
  /// The terminal gets another width.
  void resize(int columns);
  void send_signal(int signal);
  /// The terminal that stderr is on goes away, as when its window is closed.
  void hang_up();
  ProgramResult finish();

  /// Where it works: what it writes to relative paths is here, until this object is gone.
  const TemporaryFolder& folder() const { return folder_; }

 private:
  bool has_ended();
  void open_terminal(int columns);
  void read_terminal();
  void stop_reading();
  std::string shown();
  void wait_for(const std::string& name, const std::string& text);

  TemporaryFolder folder_;
  int terminal_ = -1;  ///< our end of the terminal, where there is one
  bool has_terminal_ = false;
  std::thread reader_;  ///< a terminal holds a few thousand bytes, then the program waits
  std::atomic<bool> stops_reading_ = false;
  std::mutex mutex_;
  std::string shown_;
  pid_t id_ = -1;
  int status_ = 0;
};

/// Runs the program to its end.
ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramOptions& options = {});

/// The bytes of a file; throws std::runtime_error where there is none.
std::string content_of(const std::string& path);

/// The lines of a text, without their ends.
std::vector<std::string> lines_of(const std::string& text);

}  // namespace unroll::test
