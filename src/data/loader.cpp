#include "unroll/data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/float_environment.h"
#include "core/parallel.h"
#include "data/check_dataset.h"
#include "data/order.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

// The native generator's stream 0 initialises and shuffles.
constexpr std::uint64_t kShiftStream = 1;

/// Writes one image moved by (dx, dy); what comes in is background.
template <class T>
void place(const std::uint8_t* image, const Dataset& set, const std::array<T, 256>& values,
           std::int64_t dx, std::int64_t dy, T* out) {
  for (std::int64_t r = 0; r < set.rows; ++r) {
    const std::int64_t from = r - dy;
    const bool inside = from >= 0 && from < set.rows;
    const std::uint8_t* row = image + (inside ? from : 0) * set.columns;
    for (std::int64_t c = 0; c < set.columns; ++c) {
      const std::int64_t at = c - dx;
      *out++ = values[inside && at >= 0 && at < set.columns ? row[at] : 0];
    }
  }
}

}  // namespace

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
    : dataset_(dataset),
      options_(options),
      values_(pixel_values(options.normalization)),
      shifts_(options.shift_seed, Rng::native, kShiftStream) {
  if (options.batch_size < 1)
    throw ValueError("loader",
                     fmt::format("batch_size {}, expected at least 1", options.batch_size));
  check_dataset("loader", dataset);
  if (options.shift < 0 || options.shift >= std::min(dataset.rows, dataset.columns))
    throw ValueError("loader", fmt::format("shift {}, expected 0 to {}", options.shift,
                                           std::min(dataset.rows, dataset.columns) - 1));
}

Generator& Loader::generator() const {
  return options_.generator ? *options_.generator : default_generator();
}

Loader::Iterator Loader::begin() {
  check_dataset("loader", dataset_);  // its owner may have changed it
  if (options_.shuffle) {
    order_.resize(static_cast<std::size_t>(dataset_.count));
    order_seed_ = shuffle(generator(), shuffler_, order_);
  } else {
    unshuffled_pass(generator());
  }
  return {this, 0};
}

Loader::Position Loader::position(const Iterator& at) const {
  Position result;
  position(at, result);
  return result;
}

void Loader::position(const Iterator& at, Position& to) const {
  to.order_seed = order_seed_;
  to.first = at.position_;
  to.shifts = shifts_;
}

Loader::Iterator Loader::resume(const Position& position) {
  check_dataset("loader", dataset_);
  if (position.first < 0 || position.first > dataset_.count ||
      (position.first % options_.batch_size != 0 && position.first != dataset_.count))
    throw ValueError("loader", fmt::format("no batch of {} starts at sample {} of {}",
                                           options_.batch_size, position.first, dataset_.count));
  shifts_ = position.shifts;
  if (options_.shuffle) {
    order_.resize(static_cast<std::size_t>(dataset_.count));
    order_seed_ = position.order_seed;
    order_of(order_seed_, generator().rng(), shuffler_, order_);
  }
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
  const std::int64_t count = std::min(options_.batch_size, dataset_.count - first);
  const std::int64_t pixels = dataset_.rows * dataset_.columns;
  Batch result{Tensor::empty({count, 1, dataset_.rows, dataset_.columns}, options_.dtype),
               Tensor::empty({count}, DType::i64)};
  const auto labels = result.labels.values<std::int64_t>();
  picks_.resize(static_cast<std::size_t>(count));
  const auto side = static_cast<std::uint32_t>(2 * options_.shift + 1);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t sample =
        order_.empty() ? first + i : order_[static_cast<std::size_t>(first + i)];
    const std::uint32_t drawn = options_.shift > 0 ? shifts_.next_u32() % (side * side) : 0;
    labels[static_cast<std::size_t>(i)] = dataset_.labels[static_cast<std::size_t>(sample)];
    picks_[static_cast<std::size_t>(i)] = {dataset_.image(sample),
                                           static_cast<int>(drawn % side) - options_.shift,
                                           static_cast<int>(drawn / side) - options_.shift};
  }
  dispatch("loader", options_.dtype, [&]<class T>(T*) {
    // f32 first, then widened: the same numbers whatever the type.
    std::array<T, 256> values{};
    std::ranges::copy(values_, values.begin());
    T* const out = result.images.data<T>();
    constexpr std::size_t kAtOnce = 4;
    parallel((picks_.size() + kAtOnce - 1) / kAtOnce, [&](std::size_t task) {
      const std::size_t end = std::min(picks_.size(), (task + 1) * kAtOnce);
      for (std::size_t i = task * kAtOnce; i < end; ++i) {
        // The images lie anywhere in a set larger than the caches.
        if (i + 1 < picks_.size())
          for (std::int64_t at = 0; at < pixels; at += 64)
            __builtin_prefetch(picks_[i + 1].image + at);
        T* const to = out + static_cast<std::int64_t>(i) * pixels;
        if (options_.shift == 0)
          for (std::int64_t at = 0; at < pixels; ++at) to[at] = values[picks_[i].image[at]];
        else
          place(picks_[i].image, dataset_, values, picks_[i].dx, picks_[i].dy, to);
      }
    });
  });
  return result;
}

}  // namespace unroll::data
