// .ts files: sizes fit together, and series that are read, written and read again are the same.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "data/ts_file.h"
#include "target.h"

namespace unroll::fuzz {
namespace {

std::string text_of(float value) { return std::isnan(value) ? "?" : fmt::format("{}", value); }

std::string written(const data::Recordings& r) {
  std::string text = fmt::format("@dimensions {}\n", r.columns.size());
  if (!r.target_columns.empty()) {
    const data::RecordedColumn& target = r.target_columns[0];
    text += target.is_text() ? "@classLabel true" : "@targetLabel true";
    for (const std::string& name : target.texts) text += " " + name;
    text += "\n";
  }
  text += "@data\n";
  const std::size_t width = r.columns.size();
  std::size_t start = 0;
  for (std::size_t k = 0; k < r.lengths.size(); ++k) {
    const auto steps = static_cast<std::size_t>(r.lengths[k]);
    for (std::size_t c = 0; c < width; ++c)
      for (std::size_t t = 0; t < steps; ++t)
        text += (t > 0 ? "," : c > 0 ? ":" : "") + text_of(r.values[(start + t) * width + c]);
    if (!r.target_columns.empty()) {
      const bool is_class = r.target_columns[0].is_text();
      text += ":" + (is_class ? r.target_columns[0].texts[static_cast<std::size_t>(r.targets[k])]
                              : text_of(r.targets[k]));
    }
    text += "\n";
    start += steps;
  }
  return text;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](float x, float y) { return x == y || (std::isnan(x) && std::isnan(y)); });
}

}  // namespace

void ts(Bytes bytes) {
  static MemoryFile file;
  file.assign(bytes);
  data::Task task = data::Task::automatic;
  const bool has_header = accepts([&] { task = data::ts_task(file.path()); });
  data::Recordings read;
  if (!accepts([&] { read = data::read_ts(file.path()); })) return;
  require(has_header, "a file that can be read has a header");
  require((task == data::Task::automatic) == read.target_columns.empty(),
          "the header says whether there are targets");
  const auto steps = std::accumulate(read.lengths.begin(), read.lengths.end(), std::int64_t{0});
  require(read.values.size() == static_cast<std::size_t>(steps) * read.columns.size(),
          "a value for each step and dimension");
  require(read.targets.size() == (read.target_columns.empty() ? 0 : read.lengths.size()),
          "a target for each series");

  const std::string again = written(read);
  file.assign({reinterpret_cast<const std::uint8_t*>(again.data()), again.size()});
  const data::Recordings other = data::read_ts(file.path());
  require(other.lengths == read.lengths && same(other.values, read.values) &&
              same(other.targets, read.targets),
          "what was read, written and read again is the same");
}

}  // namespace unroll::fuzz
