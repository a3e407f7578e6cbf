#include "data/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/json.h"
#include "data/order.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

// The native generator's stream for augmentation. Stream 0 draws initial values and orders.
constexpr std::uint64_t kDrawStream = 1;

}  // namespace

Sampler::Sampler(std::int64_t size, std::span<const std::int64_t> lengths,
                 const SamplerOptions& options)
    : options_(options),
      size_(size),
      lengths_(lengths),
      draws_(options.draw_seed.value_or(0), Rng::native, kDrawStream) {}

void Sampler::set_samples(std::int64_t size, std::span<const std::int64_t> lengths) {
  size_ = size;
  lengths_ = lengths;
}

std::int64_t Sampler::batches() const { return (size_ - 1) / options_.batch_size + 1; }

void Sampler::begin(Generator& generator) {
  unshuffled_pass(generator);
  if (options_.shuffle) order_seed_ = static_cast<std::uint64_t>(generator.random_i64());
  arrange(generator.rng());
  batch_ = 0;
  begun_ = true;
}

void Sampler::arrange(Rng rng) {
  const bool bucketed = !lengths_.empty();
  order_.resize(options_.shuffle || bucketed ? static_cast<std::size_t>(size_) : 0);
  if (options_.shuffle)
    order_of(order_seed_, rng, shuffler_, order_);
  else
    std::iota(order_.begin(), order_.end(), 0);
  if (bucketed) sort_buckets();
}

void Sampler::sort_buckets() {
  batches_.resize(static_cast<std::size_t>(batches()));
  if (options_.shuffle)
    shuffler_->permutation(batches_);
  else
    std::iota(batches_.begin(), batches_.end(), 0);
  ranked_.resize(order_.size());
  for (std::size_t i = 0; i < order_.size(); ++i)
    ranked_[i] = {lengths_[static_cast<std::size_t>(order_[i])], static_cast<std::int64_t>(i),
                  order_[i]};
  const std::int64_t bucket = options_.bucket_batches > size_ / options_.batch_size
                                  ? size_
                                  : options_.bucket_batches * options_.batch_size;
  for (std::int64_t first = 0; first < size_; first += bucket)
    // Compare ranks too, so that samples of equal length stay in their random order.
    std::sort(ranked_.begin() + first, ranked_.begin() + std::min(first + bucket, size_),
              [](const Ranked& a, const Ranked& b) {
                return a.length != b.length ? a.length < b.length : a.rank < b.rank;
              });
  std::ranges::transform(ranked_, order_.begin(), &Ranked::sample);
}

std::span<const Pick> Sampler::picks(std::int64_t batch) {
  const std::int64_t place = batches_.empty() ? batch : batches_[static_cast<std::size_t>(batch)];
  const std::int64_t first = place * options_.batch_size;
  picks_.resize(static_cast<std::size_t>(std::min(options_.batch_size, size_ - first)));
  for (std::size_t i = 0; i < picks_.size(); ++i) {
    const auto at = static_cast<std::size_t>(first) + i;
    picks_[i].index = order_.empty() ? static_cast<std::int64_t>(at) : order_[at];
    picks_[i].draw = options_.draw_seed ? draws_.next_u32() : 0;
  }
  return picks_;
}

std::span<const Pick> Sampler::next(std::int64_t step, Generator& generator) {
  if (size_ == Source::endless) return picks(step - 1);
  if (!begun_ || ++batch_ >= batches()) begin(generator);
  return picks(batch_);
}

void Sampler::position(Position& to) const {
  to.begun = begun_;
  to.order_seed = order_seed_;
  to.first = std::min(batch_ * options_.batch_size, size_);
  to.draws = draws_;
}

void Sampler::resume(const Position& position, Rng rng) {
  begun_ = position.begun;
  if (!begun_) {
    draws_ = Generator(options_.draw_seed.value_or(0), Rng::native, kDrawStream);
    return;
  }
  const std::int64_t first = position.first;
  if (first < 0 || first > size_ || (first % options_.batch_size != 0 && first != size_))
    throw ValueError("loader", fmt::format("no batch of {} starts at sample {} of {}",
                                           options_.batch_size, first, size_));
  batch_ = first == size_ ? batches() : first / options_.batch_size;
  draws_ = position.draws;
  order_seed_ = position.order_seed;
  arrange(rng);
}

std::string to_json(const Sampler::Position& position) {
  if (!position.begun) return {};
  return nlohmann::ordered_json{{"order_seed", position.order_seed},
                                {"first", position.first},
                                {"shifts", position.draws.state()}}
      .dump();
}

Sampler::Position position_from(std::string_view json) {
  Sampler::Position position;
  if (json.empty()) return position;
  const auto damaged = [](std::string_view why) {
    throw FormatError("resume", fmt::format("the checkpoint's place in the order of the samples is "
                                            "damaged: {}",
                                            why));
  };
  try {
    const auto parsed = parse_json(json, damaged);
    position.begun = true;
    parsed.at("order_seed").get_to(position.order_seed);
    parsed.at("first").get_to(position.first);
    position.draws.load_state(parsed.at("shifts").get<std::string>());
  } catch (const nlohmann::json::exception& error) {
    damaged(error.what());
  }
  return position;
}

}  // namespace unroll::data
