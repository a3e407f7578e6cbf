#include "run/checkpoints.h"

namespace unroll::run {

bool Checkpoints::stop() {
  const bool due = every_.steps > 0 ? trainer_.last_step().step % every_.steps == 0
                                    : seconds_since(last_) >= every_.seconds;
  if (due) write();
  return false;
}

void Checkpoints::write() {
  const std::int64_t step = trainer_.last_step().step;
  if (step == written_) return;
  folder_.save_checkpoint(trainer_.checkpoint());
  written_ = step;
  last_ = Clock::now();
}

}  // namespace unroll::run
