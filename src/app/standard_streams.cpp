#include "app/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace unroll::app {
namespace {

bool stdout_was_closed = false;

}  // namespace

void open_closed_streams() {
  stdout_was_closed = ::fcntl(STDOUT_FILENO, F_GETFD) == -1;
  int descriptor;
  do {
    descriptor = ::open("/dev/null", O_RDWR);
  } while (descriptor >= STDIN_FILENO && descriptor <= STDERR_FILENO);
  if (descriptor > STDERR_FILENO) ::close(descriptor);
  int ends[2];
  if (!stdout_was_closed || ::pipe(ends) != 0) return;
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[0]);
  ::close(ends[1]);
}

void allow_closed_stdout() {
  if (!stdout_was_closed) return;
  const int nothing = ::open("/dev/null", O_WRONLY);
  if (nothing < 0) return;
  ::dup2(nothing, STDOUT_FILENO);
  ::close(nothing);
}

}  // namespace unroll::app
