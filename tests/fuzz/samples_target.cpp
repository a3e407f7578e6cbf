// samples.safetensors: what is read fits together, and can be written and read again.
#include <cstddef>
#include <vector>

#include "run/samples.h"
#include "target.h"

namespace unroll::fuzz {

void samples(Bytes bytes) {
  const auto data = std::as_bytes(bytes);
  run::Samples read;
  if (!accepts([&] { read = run::samples_from({data.begin(), data.end()}, "samples"); })) return;
  const std::size_t count = read.indices.size();
  require(read.losses.size() == count && (read.lengths.empty() || read.lengths.size() == count),
          "each sample has a loss and a length");
  std::vector<std::byte> written;
  if (!accepts([&] { written = run::to_bytes(read); })) return;
  require(run::to_bytes(run::samples_from(written, "samples")) == written,
          "samples that were written and read again are the same");
}

}  // namespace unroll::fuzz
