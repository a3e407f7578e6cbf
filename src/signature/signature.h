// The signature: hashes of the weights of a fixed set of models after training. It is the same on
// every machine, for every instruction set, number of threads and compiler (docs/numerics.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::signature {

/// One trained model.
struct Result {
  std::string_view model;
  std::uint64_t hash = 0;                // fnv1a of its parameters' bytes, in their order
  double first_loss = 0, last_loss = 0;  // of the first and the last batch, before their updates
};

/// The names of the models. More may follow. Existing models keep their hashes within a revision of
/// the numerics.
std::vector<std::string_view> models();

/// Trains the model on data made from random numbers. Walks each batch in parts of at most
/// `rows_at_once` rows, 0: whole. Throws ValueError for an unknown name.
Result train(std::string_view model, std::size_t rows_at_once = 0);

/// FNV-1a of 64 bits, continuing from `hash`.
/// Source: Fowler, Noll, Vo; http://www.isthe.com/chongo/tech/comp/fnv
std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t hash = 0xcbf29ce484222325);

/// The hash of all results together, names included.
std::uint64_t combined(std::span<const Result> results);

/// Sixteen hexadecimal digits.
std::string to_text(std::uint64_t hash);

/// The difference between a result and src/signature/expected.h; empty if they agree.
std::string difference(const Result& result);

/// {"isa":"avx512","revision":1,"hash":"...","models":{"rnn_relu":"...",...}}
std::string to_json(std::span<const Result> results);

}  // namespace unroll::signature
