#include "export/weights.h"

#include <fmt/format.h>

#include <algorithm>

#include "unroll/core/error.h"

namespace unroll::exporter {

std::vector<float> Weights::operator()(const std::string& name) const {
  const auto found = std::ranges::find(arrays_, name, &io::ArrayView::name);
  if (found == arrays_.end()) throw FormatError("export", fmt::format("{} is missing", name));
  return io::floats_of<float>(*found);
}

}  // namespace unroll::exporter
