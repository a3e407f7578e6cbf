// The names of settings' values, as on the command line and in config.json. Parsing throws
// ValueError listing what is known, the nearest first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "train/config.h"

namespace unroll::train {

std::string_view name_of(ModelKind m);
std::string_view name_of(Algorithm a);
std::string_view name_of(InitialValues i);
std::string_view name_of(ScheduleKind s);
std::string_view name_of(Rng r);
std::string_view name_of(Precision p);
std::string name_of_augment(int shift);  // "none", "shift1"

ModelKind model_named(std::string_view name);
Algorithm algorithm_named(std::string_view name);
InitialValues initial_values_named(std::string_view name);
ScheduleKind schedule_named(std::string_view name);
Rng rng_named(std::string_view name);
DType dtype_named(std::string_view name);
Precision precision_named(std::string_view name);
int augment_named(std::string_view name);
std::vector<std::int64_t> steps_named(std::string_view names);

}  // namespace unroll::train
