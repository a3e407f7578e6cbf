#include "unroll/data/bucket_loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "core/parallel.h"
#include "data/order.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

void check(const Sequences& s, const BucketOptions& options) {
  const auto count_of = [](const auto& values) { return static_cast<std::int64_t>(values.size()); };
  if (options.batch_size < 1)
    throw ValueError("bucket loader",
                     fmt::format("batch_size {}, expected at least 1", options.batch_size));
  if (options.bucket_batches < 1)
    throw ValueError("bucket loader",
                     fmt::format("bucket_batches {}, expected at least 1", options.bucket_batches));
  if (s.lengths.empty()) throw ValueError("bucket loader", "there are no sequences");
  if (s.features < 1)
    throw ValueError("bucket loader", fmt::format("features {}, expected at least 1", s.features));
  if (s.labels.size() != s.lengths.size())
    throw ShapeError("bucket loader", fmt::format("{} sequences have {} labels, expected one each",
                                                  s.lengths.size(), s.labels.size()));
  // Steps that are left: a sum could overflow.
  const std::int64_t steps = count_of(s.values) / s.features;
  std::int64_t left = steps;
  for (std::int64_t k = 0; k < s.count(); ++k) {
    const std::int64_t length = s.lengths[static_cast<std::size_t>(k)];
    if (length < 1)
      throw ValueError("bucket loader",
                       fmt::format("sequence {} has length {}, expected at least 1", k, length));
    if (length > left)
      throw ShapeError("bucket loader", fmt::format("sequence {} has length {}, {} steps are left "
                                                    "of {}",
                                                    k, length, left, steps));
    left -= length;
  }
  if (left > 0 || count_of(s.values) % s.features != 0)
    throw ShapeError("bucket loader", fmt::format("{} values, expected {} steps of {} features",
                                                  s.values.size(), steps - left, s.features));
}

}  // namespace

BucketLoader::BucketLoader(const Sequences& sequences, const BucketOptions& options)
    : sequences_(sequences), options_(options) {
  check(sequences, options);
}

std::int64_t BucketLoader::size() const {
  return (sequences_.count() - 1) / options_.batch_size + 1;
}

BucketLoader::Iterator BucketLoader::begin() {
  check(sequences_, options_);  // their owner may have changed them
  starts_.resize(sequences_.lengths.size());
  std::exclusive_scan(sequences_.lengths.begin(), sequences_.lengths.end(), starts_.begin(),
                      std::int64_t{0});
  Generator& generator = options_.generator ? *options_.generator : default_generator();
  order_.resize(sequences_.lengths.size());
  batches_.resize(static_cast<std::size_t>(size()));
  if (options_.shuffle) {
    shuffle(generator, shuffler_, order_);
    shuffler_->permutation(batches_);
  } else {
    unshuffled_pass(generator);
    std::iota(order_.begin(), order_.end(), 0);
    std::iota(batches_.begin(), batches_.end(), 0);
  }
  const std::int64_t count = sequences_.count();
  const std::int64_t bucket = options_.bucket_batches > count / options_.batch_size
                                  ? count
                                  : options_.bucket_batches * options_.batch_size;
  for (std::int64_t first = 0; first < count; first += bucket)
    // Stable, so that equal lengths stay in their random order.
    std::stable_sort(order_.begin() + first, order_.begin() + std::min(first + bucket, count),
                     [&](std::int64_t a, std::int64_t b) {
                       return sequences_.lengths[static_cast<std::size_t>(a)] <
                              sequences_.lengths[static_cast<std::size_t>(b)];
                     });
  return {this, 0};
}

PaddedBatch BucketLoader::batch(std::int64_t index) const {
  const std::int64_t first = batches_[static_cast<std::size_t>(index)] * options_.batch_size;
  const std::int64_t count = std::min(options_.batch_size, sequences_.count() - first);
  const auto picks =
      std::span(order_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  PaddedBatch result{{}, Tensor::empty({count}, DType::i64), Tensor::empty({count}, DType::i64)};
  const auto lengths = result.lengths.values<std::int64_t>();
  const auto labels = result.labels.values<std::int64_t>();
  for (std::size_t i = 0; i < picks.size(); ++i) {
    lengths[i] = sequences_.lengths[static_cast<std::size_t>(picks[i])];
    labels[i] = sequences_.labels[static_cast<std::size_t>(picks[i])];
  }
  const std::int64_t features = sequences_.features, longest = lengths.back();
  result.inputs = Tensor::empty({count, longest, features}, options_.dtype);
  dispatch("bucket loader", options_.dtype, [&]<class T>(T*) {
    T* const inputs = result.inputs.data<T>();
    parallel(picks.size(), [&](std::size_t i) {
      const std::int64_t start = starts_[static_cast<std::size_t>(picks[i])];
      T* const to = inputs + static_cast<std::int64_t>(i) * longest * features;
      T* const end =
          std::copy_n(sequences_.values.data() + start * features, lengths[i] * features, to);
      std::fill(end, to + longest * features, T{0});
    });
  });
  return result;
}

}  // namespace unroll::data
