#include "train/baselines.h"

namespace unroll::train {

std::vector<Baseline> baselines(const data::Source&, data::Split) { return {}; }

}  // namespace unroll::train
