#include "signature/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "core/numerics.h"
#include "kernels/table.h"
#include "nn/batch_gradient.h"
#include "signature/expected.h"
#include "signature/models.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"
#include "unroll/optim/clip.h"

namespace unroll::signature {
namespace {

static_assert(std::endian::native == std::endian::little, "the hash is of bytes in memory");

/// Images that a network can learn to classify: each class inks its own pixels, under much noise.
data::Dataset make_set(const Setup& setup, Generator& generator) {
  constexpr std::uint32_t kInk = 80, kNoise = 176;  // at most 255 together
  data::Dataset set;
  set.count = 3 * setup.batch + setup.batch / 2;  // the last batch of a pass is smaller
  set.rows = setup.steps;
  set.columns = setup.inputs;
  const auto pixels = static_cast<std::size_t>(set.rows * set.columns);
  std::vector<std::uint32_t> patterns(pixels * static_cast<std::size_t>(set.classes));
  for (std::uint32_t& ink : patterns) ink = generator.next_u32() % 2 * kInk;
  for (std::int64_t i = 0; i < set.count; ++i) {
    const std::uint32_t label = generator.next_u32() % static_cast<std::uint32_t>(set.classes);
    set.labels.push_back(static_cast<std::uint8_t>(label));
    for (std::size_t p = 0; p < pixels; ++p)
      set.images.push_back(
          static_cast<std::uint8_t>(patterns[label * pixels + p] + generator.next_u32() % kNoise));
  }
  return set;
}

std::uint64_t hash_of(const Parameters& parameters) {
  std::uint64_t hash = fnv1a({});
  for (const Parameter& p : parameters)
    dispatch("signature", p.value.dtype(),
             [&]<class T>(T*) { hash = fnv1a(std::as_bytes(p.value.values<T>()), hash); });
  return hash;
}

/// The lengths of the sequences of a batch, in descending order.
std::vector<std::int64_t> lengths_of(const Setup& setup, std::int64_t rows) {
  std::vector<std::int64_t> lengths;
  if (setup.ragged)
    for (std::int64_t n = 0; n < rows; ++n) lengths.push_back(setup.steps - n * setup.steps / rows);
  return lengths;
}

/// One of `chunks` pieces of all sequences in `images` (N, 1, T, I).
Tensor chunk_of(const Tensor& images, std::int64_t chunk, std::int64_t chunks) {
  if (chunks == 1) return images;
  const std::int64_t steps = images.size(2) / chunks;
  const Tensor to = Tensor::empty({images.size(0), 1, steps, images.size(3)}, images.dtype());
  for (std::int64_t t = 0; t < steps; ++t)
    copy_into(to.select(2, t), images.select(2, chunk * steps + t));
  return to;
}

Result train(const Setup& setup, std::size_t rows_at_once) {
  Generator generator(0);
  const data::Dataset set = make_set(setup, generator);
  const auto network = make_network(setup, generator);
  const nn::FlatParameters flat(network->parameters());
  const Parameters& parameters = flat.parameters();
  nn::BatchGradient gradient(flat, network->masks);
  const auto optimizer = make_optimizer(setup, parameters);
  const optim::Schedule schedule = make_schedule(setup);
  data::Loader loader(set, {.batch_size = setup.batch,
                            .shuffle = true,
                            .normalization = setup.normalization,
                            .dtype = setup.dtype,
                            .shift = setup.shift,
                            .generator = &generator});
  Result result{.model = setup.name};
  std::vector<BatchPart> parts;
  std::int64_t update = 0;
  const auto step = [&](const data::Batch& batch) {
    const std::int64_t rows = batch.images.size(0);
    const std::vector<std::int64_t> lengths = lengths_of(setup, rows);
    const auto steps = std::accumulate(lengths.begin(), lengths.end(), std::size_t{0});
    nn::cut({Shards(static_cast<std::size_t>(rows)), steps}, rows_at_once, parts);
    std::vector<nn::State> states(parts.size());
    for (std::int64_t chunk = 0; chunk < setup.chunks; ++chunk) {
      const Tensor images = chunk_of(batch.images, chunk, setup.chunks);
      result.last_loss = gradient.minimise(parts, [&](std::size_t k, std::vector<Tensor>& terms) {
        const Shards& here = parts[k].shards;
        std::span<const std::int64_t> own = lengths;
        if (setup.ragged) own = own.subspan(here.first_row(), here.rows());
        network->loss({nn::rows_of(images, parts[k]), nn::rows_of(batch.labels, parts[k]), own,
                       rows, states[k]},
                      terms);
      });
      optim::clip_grad_norm(parameters, 1.0);
      optimizer->set_lr_factor(schedule(update));
      optimizer->step();
      if (update == 0 && chunk == 0) result.first_loss = result.last_loss;
    }
  };
  while (update < setup.updates)
    for (const data::Batch& batch : loader) {
      step(batch);
      if (++update == setup.updates) break;
    }
  result.hash = hash_of(parameters);
  return result;
}

}  // namespace

std::vector<std::string_view> models() {
  std::vector<std::string_view> names;
  for (const Setup& setup : setups()) names.push_back(setup.name);
  return names;
}

Result train(std::string_view model, std::size_t rows_at_once) {
  const auto found = std::ranges::find(setups(), model, &Setup::name);
  if (found == setups().end())
    throw ValueError("signature", fmt::format("no model is called {}; the models are {}", model,
                                              fmt::join(models(), ", ")));
  return train(*found, rows_at_once);
}

std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t hash) {
  for (const std::byte b : bytes) hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3;
  return hash;
}

std::uint64_t combined(std::span<const Result> results) {
  std::uint64_t hash = fnv1a({});
  for (const Result& r : results) {
    const std::string line = fmt::format("{} {}\n", r.model, to_text(r.hash));
    hash = fnv1a(std::as_bytes(std::span(line)), hash);
  }
  return hash;
}

std::string to_text(std::uint64_t hash) { return fmt::format("{:016x}", hash); }

std::string difference(const Result& result) {
  if (expected_revision != numerics::revision)
    return fmt::format("the program has numerics revision {}, the expected hashes have {}",
                       numerics::revision, expected_revision);
  const auto found = std::ranges::find(expected, result.model, &Expected::model);
  if (found == std::end(expected)) return "no hash is expected yet";
  if (found->hash == to_text(result.hash)) return {};
  return fmt::format("{} expected", found->hash);
}

std::string to_json(std::span<const Result> results) {
  std::string hashes;
  for (const Result& r : results)
    hashes += fmt::format("{}\"{}\":\"{}\"", hashes.empty() ? "" : ",", r.model, to_text(r.hash));
  return fmt::format(R"({{"isa":"{}","revision":{},"hash":"{}","models":{{{}}}}})",
                     kernels::instruction_set(), numerics::revision, to_text(combined(results)),
                     hashes);
}

}  // namespace unroll::signature
