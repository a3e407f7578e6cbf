// Idx files, images and labels, as they are and as gzip.
#include <algorithm>
#include <numeric>
#include <span>
#include <vector>

#include "data/gzip.h"
#include "data/idx.h"
#include "target.h"

namespace unroll::fuzz {
namespace {

/// What reading a file came to; all empty where it was refused.
struct Outcome {
  data::Idx idx;
  std::vector<std::int64_t> shape;  // as read_idx_shape has it
  std::vector<std::uint8_t> first_image;
};

Outcome read(const std::string& path, data::Part part) {
  Outcome outcome;
  const bool whole = accepts([&] { outcome.idx = data::read_idx(path, part); });
  const bool header = accepts([&] { outcome.shape = data::read_idx_shape(path, part); });
  if (part == data::Part::images)
    accepts([&] { outcome.first_image = data::read_idx_image(path, 0).values; });
  if (!whole) return outcome;

  const auto& [shape, sha256, values] = outcome.idx;
  require(header && outcome.shape == shape, "the header alone tells the shape of the whole");
  const std::int64_t product =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
  require(static_cast<std::uint64_t>(product) == values.size(), "values are as many as the shape");
  if (part == data::Part::labels) return outcome;
  const std::size_t size = values.size() / static_cast<std::size_t>(shape[0]);
  require(std::ranges::equal(outcome.first_image, std::span(values).first(size)),
          "the first image alone is that of the whole");
  require(std::ranges::equal(data::read_idx_image(path, shape[0] - 1).values,
                             std::span(values).last(size)),
          "the last image alone is that of the whole");
  require(!accepts([&] { data::read_idx_image(path, outcome.idx.shape[0]); }),
          "no image after the last");
  return outcome;
}

}  // namespace

void idx(Bytes bytes) {
  static MemoryFile plain, compressed;
  plain.assign(bytes);
  const bool is_gzip = data::is_gzip(std::as_bytes(bytes));
  if (!is_gzip) compressed.assign(gzip_of(bytes));
  for (const data::Part part : {data::Part::images, data::Part::labels}) {
    const Outcome outcome = read(plain.path(), part);
    if (is_gzip) continue;
    const Outcome other = read(compressed.path(), part);
    require(outcome.shape == other.shape && outcome.idx.shape == other.idx.shape &&
                outcome.idx.values == other.idx.values && outcome.idx.sha256 == other.idx.sha256,
            "a file and its gzip read the same");
  }
}

}  // namespace unroll::fuzz
