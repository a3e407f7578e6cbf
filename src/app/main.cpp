#include <csignal>

#include "app/command_line.h"
#include "app/standard_streams.h"

int main(int argc, char** argv) {
  unroll::app::open_closed_streams();
  // A stdout beyond the limit of ulimit -f is an error, as on a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  return unroll::app::run(argc, argv);
}
