// The last step of some original networks that models here leave out.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace unroll::importer {

/// A softmax at the end of a classifier. Models here return logits, so the import leaves it out. A
/// comparison with the original applies it to the logits first.
enum class Ending { none, softmax, log_softmax };

std::string_view name_of(Ending ending);  ///< "log_softmax"; empty for none
std::optional<Ending> ending_named(std::string_view name);

/// Applies the softmax y = exp(x) / sum exp(x), or its logarithm, to each row of C classes, in
/// place.
void apply(Ending ending, std::size_t classes, std::span<double> outputs);

}  // namespace unroll::importer
