// What an original does to its outputs at the very end, and a model here does not.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace unroll::importer {

/// A softmax at the end of a classifier. Models here answer logits, so it is left out: a comparison
/// with the original does it to the logits first.
enum class Ending { none, softmax, log_softmax };

std::string_view name_of(Ending ending);  ///< "log_softmax"; empty of none
std::optional<Ending> ending_named(std::string_view name);

/// Over each row of C numbers, in place: y = exp(x) / sum exp(x), or its logarithm.
void apply(Ending ending, std::size_t classes, std::span<double> outputs);

}  // namespace unroll::importer
