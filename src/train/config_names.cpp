#include "train/config_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/suggest.h"
#include "unroll/core/error.h"

namespace unroll::train {
namespace {

// In the order of the enumerations.
constexpr std::string_view kModels[] = {"logistic", "linear", "fnn", "cnn", "rnn", "lstm", "gru"};
constexpr std::string_view kAlgorithms[] = {"sgd", "adam", "adamw", "muon", "rmsprop", "adagrad"};
constexpr std::string_view kInitialValues[] = {"torch", "identity", "orthogonal", "xavier",
                                               "kaiming"};
constexpr std::string_view kSchedules[] = {"constant", "linear",      "cosine",
                                           "step",     "exponential", "one-cycle"};
constexpr std::string_view kRngs[] = {"native", "torch"};
constexpr std::string_view kDtypes[] = {"f32", "f64"};
constexpr std::string_view kPrecisions[] = {"full", "bf16"};
constexpr std::string_view kAugments[] = {"none", "shift1", "shift2", "shift3", "shift4"};

template <std::size_t kCount>
std::size_t find_name(std::string_view setting, std::string_view name,
                      const std::string_view (&names)[kCount]) {
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names))
    throw ValueError(setting, fmt::format("'{}' is not known, expected one of {}{}", name,
                                          fmt::join(names, ", "), did_you_mean(name, names)));
  return static_cast<std::size_t>(found - std::begin(names));
}

}  // namespace

std::string_view name_of(ModelKind m) { return kModels[static_cast<std::size_t>(m)]; }
std::string_view name_of(Algorithm a) { return kAlgorithms[static_cast<std::size_t>(a)]; }
std::string_view name_of(InitialValues i) { return kInitialValues[static_cast<std::size_t>(i)]; }
std::string_view name_of(ScheduleKind s) { return kSchedules[static_cast<std::size_t>(s)]; }
std::string_view name_of(Rng r) { return kRngs[static_cast<std::size_t>(r)]; }
std::string_view name_of(Precision p) { return kPrecisions[static_cast<std::size_t>(p)]; }

std::string name_of_augment(int shift) {
  return std::string(kAugments[static_cast<std::size_t>(shift)]);
}

ModelKind model_named(std::string_view name) {
  return static_cast<ModelKind>(find_name("model", name, kModels));
}
Algorithm algorithm_named(std::string_view name) {
  return static_cast<Algorithm>(find_name("optimizer", name, kAlgorithms));
}
InitialValues initial_values_named(std::string_view name) {
  return static_cast<InitialValues>(find_name("init", name, kInitialValues));
}
ScheduleKind schedule_named(std::string_view name) {
  return static_cast<ScheduleKind>(find_name("schedule", name, kSchedules));
}
Rng rng_named(std::string_view name) { return static_cast<Rng>(find_name("rng", name, kRngs)); }
DType dtype_named(std::string_view name) {
  return static_cast<DType>(find_name("dtype", name, kDtypes));
}
Precision precision_named(std::string_view name) {
  return static_cast<Precision>(find_name("precision", name, kPrecisions));
}
int augment_named(std::string_view name) {
  return static_cast<int>(find_name("augment", name, kAugments));
}

std::vector<std::int64_t> steps_named(std::string_view names) {
  std::vector<std::int64_t> steps;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    const std::string_view part = names.substr(begin, end - begin);
    std::int64_t step = 0;
    const auto [after, error] = std::from_chars(part.data(), part.data() + part.size(), step);
    if (error != std::errc() || after != part.data() + part.size() || step < 1)
      throw ValueError("save-at", fmt::format("'{}' is no step; give steps from 1 on, separated by "
                                              "commas",
                                              part));
    steps.push_back(step);
    begin = end + 1;
  }
  return steps;
}

}  // namespace unroll::train
