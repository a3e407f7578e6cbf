// The flag --verbose of every command that computes with a model.
#pragma once

#include "app/command.h"
#include "app/messages.h"
#include "core/numerics.h"
#include "kernels/table.h"
#include "unroll/core/threads.h"

namespace unroll::app {

struct VerboseFlag {
  bool on = false;

  void add_to(Command& command) {
    command.flag("--verbose", on,
                 "Print the instruction set, threads and numerics revision to stderr. Default off");
  }

  /// Call it once the number of threads is set.
  void say() const {
    if (!on) return;
    const int threads = num_threads();
    tell("instruction set {}, {} thread{}, numerics revision {}\n", kernels::instruction_set(),
         threads, threads == 1 ? "" : "s", numerics::revision);
  }
};

}  // namespace unroll::app
