#include "unroll/data/bucket_loader.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/sampler.h"
#include "data/sequences.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

void check_bucket_loader(const Sequences& sequences, const BucketOptions& options) {
  const auto at_least_one = [](const char* name, std::int64_t value) {
    if (value < 1)
      throw ValueError("bucket loader", fmt::format("{} {}, expected at least 1", name, value));
  };
  at_least_one("batch_size", options.batch_size);
  at_least_one("bucket_batches", options.bucket_batches);
  check_sequences("bucket loader", sequences);
}

}  // namespace

BucketLoader::BucketLoader(const Sequences& sequences, const BucketOptions& options)
    : sequences_(sequences), options_(options) {
  check_bucket_loader(sequences, options);
  sampler_ = std::make_unique<Sampler>(sequences.count(), sequences.lengths,
                                       SamplerOptions{.batch_size = options.batch_size,
                                                      .shuffle = options.shuffle,
                                                      .bucket_batches = options.bucket_batches});
}

BucketLoader::BucketLoader(const BucketLoader& other)
    : sequences_(other.sequences_),
      options_(other.options_),
      starts_(other.starts_),
      sampler_(std::make_unique<Sampler>(*other.sampler_)) {}
BucketLoader::BucketLoader(BucketLoader&&) noexcept = default;
BucketLoader::~BucketLoader() = default;

Generator& BucketLoader::generator() const {
  return options_.generator ? *options_.generator : default_generator();
}

std::int64_t BucketLoader::size() const {
  return (sequences_.count() - 1) / options_.batch_size + 1;
}

void BucketLoader::prepare() {
  check_bucket_loader(sequences_, options_);  // their owner may have changed the sequences
  starts_ = starts_of(sequences_.lengths);
  sampler_->set_samples(sequences_.count(), sequences_.lengths);
}

BucketLoader::Iterator BucketLoader::begin() {
  prepare();
  sampler_->begin(generator());
  return {this, 0};
}

BucketLoader::Position BucketLoader::position(const Iterator& at) const {
  return {sampler_->order_seed(), at.index_};
}

BucketLoader::Iterator BucketLoader::resume(const Position& position) {
  prepare();
  if (position.batch < 0 || position.batch > size())
    throw ValueError("bucket loader", fmt::format("batch {}, expected 0 to {}, the batches of a "
                                                  "pass",
                                                  position.batch, size()));
  sampler_->resume({true, position.order_seed,
                    std::min(position.batch * options_.batch_size, sequences_.count())},
                   generator().rng());
  return {this, position.batch};
}

PaddedBatch BucketLoader::batch(std::int64_t index) const {
  const auto picks = sampler_->picks(index);
  const Tensor lengths = Tensor::empty({static_cast<std::int64_t>(picks.size())}, DType::i64);
  std::ranges::transform(picks, lengths.data<std::int64_t>(), [&](const Pick& pick) {
    return sequences_.lengths[static_cast<std::size_t>(pick.index)];
  });
  return {padded(sequences_, starts_, picks, options_.dtype), lengths,
          padded_answers(sequences_, starts_, picks, options_.dtype)};
}

}  // namespace unroll::data
