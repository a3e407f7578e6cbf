#include "unroll/data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/float_environment.h"
#include "data/check_dataset.h"
#include "data/images.h"
#include "data/sampler.h"
#include "unroll/core/error.h"

namespace unroll::data {

std::array<float, 256> pixel_values(const Normalization& normalization) {
  const FloatEnvironment environment;
  const auto mean = static_cast<float>(normalization.mean);
  const auto std = static_cast<float>(normalization.std);
  if (!std::isfinite(mean) || !(std >= std::numeric_limits<float>::min()) || !std::isfinite(std))
    throw ValueError("normalize", fmt::format("mean {}, standard deviation {}; expected finite "
                                              "f32 numbers, the second more than 0",
                                              normalization.mean, normalization.std));
  std::array<float, 256> values{};
  for (std::size_t pixel = 0; pixel < values.size(); ++pixel)
    values[pixel] = (static_cast<float>(pixel) / 255.0f - mean) / std;
  return values;
}

Loader::Loader(const Dataset& dataset, const LoaderOptions& options)
    : dataset_(dataset), options_(options), values_(pixel_values(options.normalization)) {
  if (options.batch_size < 1)
    throw ValueError("loader",
                     fmt::format("batch_size {}, expected at least 1", options.batch_size));
  check_dataset("loader", dataset);
  if (options.shift < 0 || options.shift >= std::min(dataset.rows, dataset.columns))
    throw ValueError("loader", fmt::format("shift {}, expected 0 to {}", options.shift,
                                           std::min(dataset.rows, dataset.columns) - 1));
  SamplerOptions order{.batch_size = options.batch_size, .shuffle = options.shuffle};
  if (options.shift > 0) order.draw_seed = options.shift_seed;
  sampler_ = std::make_unique<Sampler>(dataset.count, std::span<const std::int64_t>(), order);
}

Loader::Loader(const Loader& other)
    : dataset_(other.dataset_),
      options_(other.options_),
      values_(other.values_),
      sampler_(std::make_unique<Sampler>(*other.sampler_)) {}
Loader::Loader(Loader&&) noexcept = default;
Loader::~Loader() = default;

Generator& Loader::generator() const {
  return options_.generator ? *options_.generator : default_generator();
}

void Loader::prepare() {
  check_dataset("loader", dataset_);  // its owner may have changed the set
  sampler_->set_samples(dataset_.count);
}

Loader::Iterator Loader::begin() {
  prepare();
  sampler_->begin(generator());
  return {this, 0};
}

Loader::Position Loader::position(const Iterator& at) const {
  Position result;
  position(at, result);
  return result;
}

void Loader::position(const Iterator& at, Position& to) const {
  to.order_seed = sampler_->order_seed();
  to.first = at.position_;
  to.shifts = sampler_->draws();
}

Loader::Iterator Loader::resume(const Position& position) {
  prepare();
  sampler_->resume({true, position.order_seed, position.first, position.shifts}, generator().rng());
  return {this, position.first};
}

std::int64_t Loader::size() const {
  return (dataset_.count + options_.batch_size - 1) / options_.batch_size;
}

Batch Loader::Iterator::operator*() const { return loader_->batch(position_); }

Loader::Iterator& Loader::Iterator::operator++() {
  position_ = std::min(position_ + loader_->options_.batch_size, loader_->dataset_.count);
  return *this;
}

Batch Loader::batch(std::int64_t first) {
  const auto picks = sampler_->picks(first / options_.batch_size);
  const auto count = static_cast<std::int64_t>(picks.size());
  const Batch result{Tensor::empty({count, 1, dataset_.rows, dataset_.columns}, options_.dtype),
                     labels_of(dataset_, picks)};
  fill_images(dataset_, picks, {.values = values_, .shift = options_.shift}, result.images);
  return result;
}

}  // namespace unroll::data
