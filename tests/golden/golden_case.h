// One reference case, and the table of what runs which.
//
// To run another set: write tests/golden/<set>_cases.cpp with a function `Outcome run_<set>_case(
// const GoldenCase&)`, declare it below, and add it to the table in golden_main.cpp. It compares
// every tensor it can with EXPECT_TRUE(is_close(...)) from support/golden_compare.h, and returns
// Outcome::not_supported, before any expectation, for a case that Unroll can't do yet.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "support/golden_compare.h"
#include "unroll/io/safetensors.h"

namespace unroll::golden {

struct GoldenCase {
  std::string name;            ///< "layers/026_lstm_f32": the path in the folder, less its suffix
  nlohmann::json description;  ///< the JSON object of the file's metadata "case"
  io::Safetensors file;

  /// The tensor of that name; throws std::runtime_error where the file has none.
  const io::ArrayView& tensor(std::string_view tensor_name) const;
  /// Its values, of any element type, as double.
  std::vector<double> values(std::string_view tensor_name) const;
  /// What the case's "dtype" allows ("f32" or "f64").
  double tolerance() const;
  /// Whether the description has no other keys than these, that is, no option unknown to a handler.
  bool has_only(const std::vector<std::string>& known) const;
};

/// `lacks_data`: what can be compared without MNIST was, the rest needs it.
enum class Outcome { run, not_supported, lacks_data };
using Handler = Outcome (*)(const GoldenCase&);

Outcome run_clip_case(const GoldenCase& c);
Outcome run_layers_case(const GoldenCase& c);
Outcome run_losses_case(const GoldenCase& c);
Outcome run_optim_case(const GoldenCase& c);
Outcome run_regularised_case(const GoldenCase& c);
Outcome run_rng_case(const GoldenCase& c);
Outcome run_schedule_case(const GoldenCase& c);
Outcome run_tutorial_case(const GoldenCase& c);

}  // namespace unroll::golden
