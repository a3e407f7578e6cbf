#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "app/command_line.h"

namespace {

// Where a standard stream was closed, the next file opened would take its number, and what is
// printed would end up in that file.
void open_closed_streams() {
  int descriptor;
  do {
    descriptor = ::open("/dev/null", O_RDWR);
  } while (descriptor >= STDIN_FILENO && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
}

}  // namespace

int main(int argc, char** argv) {
  open_closed_streams();
  // A stdout that may not grow any more (ulimit -f) is an error like that of a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  return unroll::app::run(argc, argv);
}
