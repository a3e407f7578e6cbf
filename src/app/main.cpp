#include <csignal>

#include "app/command_line.h"
#include "app/standard_streams.h"

int main(int argc, char** argv) {
  unroll::app::open_closed_streams();
  // A stdout that may not grow any more (ulimit -f) is an error like that of a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  return unroll::app::run(argc, argv);
}
