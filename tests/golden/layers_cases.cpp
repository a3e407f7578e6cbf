// Recurrent layers: outputs, final states and every gradient.
#include "golden/recurrent_case.h"

namespace unroll::golden {

Outcome run_layers_case(const GoldenCase& c) {
  if (!c.has_only({"set", "dtype", "kind", "T", "N", "I", "H", "layers", "batch_first", "bias",
                   "bidirectional", "proj_size", "lengths", "no_state"}))
    return Outcome::not_supported;
  run_recurrent_case(c);
  return Outcome::run;
}

}  // namespace unroll::golden
