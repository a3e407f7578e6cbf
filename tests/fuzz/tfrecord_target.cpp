// Records of TensorBoard's event files: what is counted as a record can be written again.
#include <optional>

#include "core/file.h"
#include "run/tfrecord.h"
#include "target.h"

namespace unroll::fuzz {

void tfrecord(Bytes bytes) {
  static MemoryFile file;
  file.assign(bytes);
  const InputFile input("fuzz", file.path());
  constexpr std::uint64_t kMost = 4, kBefore = 12, kAfter = 4;  // bytes around the data
  std::uint64_t before = 0;
  for (std::uint64_t count = 1; count <= kMost; ++count) {
    const std::optional<std::uint64_t> size = run::size_of_records(input, count);
    if (!size) return;
    require(*size <= bytes.size() && *size >= before + kBefore + kAfter,
            "a record is in the file, behind the one before");
    const std::string_view record = text_of(bytes.subspan(before, *size - before));
    require(run::tfrecord(record.substr(kBefore, record.size() - kBefore - kAfter)) == record,
            "a record that is written again is the same");
    before = *size;
  }
}

}  // namespace unroll::fuzz
