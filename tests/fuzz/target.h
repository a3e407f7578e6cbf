// What the fuzz targets share. A target is a function of bytes that may be anything: it hands them
// to a parser and checks what must hold whatever they are. libFuzzer calls it (libfuzzer_main.cpp),
// and so does the ordinary build's replay of the corpus (replay_main.cpp).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/error.h"

namespace unroll::fuzz {

using Bytes = std::span<const std::uint8_t>;

// The targets, one a file, NAME_target.cpp.
#define UNROLL_FUZZ_TARGETS(F) \
  F(architecture)              \
  F(config)                    \
  F(gzip)                      \
  F(idx)                       \
  F(metrics) F(model) F(npy) F(npz) F(pt) F(safetensors) F(samples) F(table) F(tfrecord) F(ts)

#define UNROLL_DECLARE_TARGET(name) void name(Bytes bytes);
UNROLL_FUZZ_TARGETS(UNROLL_DECLARE_TARGET)
#undef UNROLL_DECLARE_TARGET

/// Runs a target, and checks what it costs: so many basic blocks and so much memory for a byte of
/// the input (tests/cost/counter.h), for all that it does with them: it reads most of them several
/// times.
void run_within_budget(void (*target)(Bytes), Bytes bytes);

/// A target calls it whose input is compressed: the budget is that of so many bytes.
void count_input_as(std::uint64_t size);

/// Says what does not hold and aborts, which is a finding.
void require(bool holds, std::string_view what);

/// The text of an error must be one line that a terminal can show: it may quote what the file says.
void require_printable(const Error& error);

/// Calls `read`: true where it accepts its input, false where it throws one of Unroll's errors,
/// whose text goes to `why`. Any other exception is a finding.
template <class F>
bool accepts(F&& read, std::string* why = nullptr) {
  try {
    read();
    return true;
  } catch (const Error& error) {
    require_printable(error);
    if (why) *why = error.what();
    return false;
  }
}

/// A file whose content is in memory alone, for parsers that want a path.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  void assign(Bytes bytes);
  const std::string& path() const { return path_; }

 private:
  int descriptor_ = -1;
  std::string path_;
};

/// A gzip file with this content.
std::vector<std::uint8_t> gzip_of(Bytes content);

/// A path for files that a target writes, in a folder that goes away at the end.
const std::string& scratch_path();

inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace unroll::fuzz
