#include "data/series_noise.h"

#include <cmath>
#include <vector>

#include "core/philox.h"

namespace unroll::data {
namespace {

// The second halves of Philox's counters. They differ from those of other random numbers.
constexpr std::uint64_t kValueStream = 0x4e4f4953'45000000;  // "NOISE"
constexpr std::uint64_t kTargetStream = 0x4e4f4953'45000001;

/// Numbers of a part of the recordings, `width` in a row.
struct Rows {
  std::vector<float>& values;
  const std::vector<RecordedColumn>& columns;
  std::uint64_t stream;
  std::vector<std::vector<float>> trained = {};  // of each text column: the training part's texts

  std::size_t width() const { return columns.size(); }

  void find_trained(std::size_t begin, std::size_t end, std::vector<std::vector<bool>>& seen) {
    for (std::size_t row = begin; row < end; ++row)
      for (std::size_t c = 0; c < width(); ++c)
        if (const float value = values[row * width() + c];
            columns[c].is_text() && !std::isnan(value)) {
          const auto text = static_cast<std::size_t>(value);
          if (!seen[c][text]) trained[c].push_back(value);
          seen[c][text] = true;
        }
  }

  void fill(std::size_t begin, std::size_t end, std::uint64_t seed) {
    for (std::size_t row = begin; row < end; ++row)
      for (std::size_t c = 0; c < width(); ++c) {
        const std::size_t at = row * width() + c;
        const std::uint32_t word = philox(at, stream, seed)[0];
        if (!columns[c].is_text())
          values[at] = static_cast<float>(word >> 8) * 0x1p-21F - 4.0F;  // 24 bits, exact
        else if (!trained[c].empty())
          values[at] = trained[c][word % trained[c].size()];
      }
  }
};

}  // namespace

void put_noise(Recordings& recordings, std::span<const Split> parts, std::uint64_t seed) {
  Rows inputs{recordings.values, recordings.columns, kValueStream},
      targets{recordings.targets, recordings.target_columns, kTargetStream};
  for (Rows* rows : {&inputs, &targets}) {
    const bool by_step = rows == &inputs || recordings.target_at_every_step;
    rows->trained.resize(rows->width());
    std::vector<std::vector<bool>> seen;
    for (const RecordedColumn& column : rows->columns) seen.emplace_back(column.texts.size());
    for (const bool filling : {false, true}) {
      std::size_t begin = 0;
      for (std::size_t k = 0; k < parts.size(); ++k) {
        const std::size_t end =
            begin + (by_step ? static_cast<std::size_t>(recordings.lengths[k]) : 1);
        if (!filling && parts[k] == Split::train) rows->find_trained(begin, end, seen);
        if (filling && parts[k] == Split::test) rows->fill(begin, end, seed);
        begin = end;
      }
    }
  }
}

}  // namespace unroll::data
