#include "export/weights.h"

#include <fmt/format.h>

#include "unroll/core/error.h"

namespace unroll::exporter {

Weights::Weights(std::span<const io::ArrayView> arrays) {
  for (const io::ArrayView& array : arrays) arrays_.emplace(array.name, &array);
}

std::vector<float> Weights::operator()(const std::string& name) const {
  const auto found = arrays_.find(name);
  if (found == arrays_.end()) throw FormatError("export", fmt::format("{} is missing", name));
  return io::floats_of<float>(*found->second);
}

}  // namespace unroll::exporter
