#include "train/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "train/settings.h"

namespace unroll::train {

bool operator==(const Config& a, const Config& b) {
  return std::ranges::all_of(settings(), [&](const Setting& s) { return s.json(a) == s.json(b); });
}

void validate(const Config& config) {
  for (const Setting& setting : settings()) setting.check(config);
}

std::vector<std::string> differences(const Config& there, const Config& here) {
  std::vector<std::string> all;
  for (const Setting& setting : settings()) {
    const auto a = setting.json(there), b = setting.json(here);
    if (a != b && !setting.changes_no_bit())
      all.push_back(fmt::format("{} is {} there, {} here", setting.key, a.dump(), b.dump()));
  }
  return all;
}

}  // namespace unroll::train
