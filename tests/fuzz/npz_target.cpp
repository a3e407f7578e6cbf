// NumPy's archives: sizes fit together, and there is no more data than the file can hold.
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "data/npz_recordings.h"
#include "target.h"

namespace unroll::fuzz {
namespace {

void check(const data::Recordings& read) {
  const auto steps = std::accumulate(read.lengths.begin(), read.lengths.end(), std::int64_t{0});
  const std::size_t places =
      read.target_at_every_step ? static_cast<std::size_t>(steps) : read.lengths.size();
  require(read.values.size() == static_cast<std::size_t>(steps) * read.columns.size(),
          "a value for each step and column");
  require(read.targets.size() == places * read.target_columns.size(),
          "a target for each series or step");
  require(read.groups.empty() || read.groups.size() == read.lengths.size(),
          "a group for each series");
  require(read.parts.empty() || read.parts.size() == read.lengths.size(), "a part for each series");
}

}  // namespace

void npz(Bytes bytes) {
  static MemoryFile file;
  file.assign(bytes);
  // Deflate shortens an entry to a thousandth, and its bytes become numbers of eight bytes, twice.
  constexpr std::uint64_t kGrowth = 500;
  count_input_as(kGrowth * bytes.size());
  // One way for each input; a byte behind the archive does not change it.
  constexpr data::Task kTasks[] = {data::Task::classify, data::Task::regress, data::Task::label};
  data::SeriesSettings settings{.task = kTasks[bytes.size() % 3]};
  const auto targets = bytes.size() % 2 == 0 ? data::Targets::needed : data::Targets::optional;
  data::Recordings read;
  if (accepts([&] { read = data::read_npz_recordings(file.path(), settings, targets); }))
    check(read);
}

}  // namespace unroll::fuzz
