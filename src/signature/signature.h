// The signature: hashes of what a fixed set of models weighs after training. It is one number for
// every machine, whatever the instruction set, the threads and the compiler (docs/numerics.md).
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
  double first_loss = 0, last_loss = 0;  // of the first batch and the last, before their updates
};

/// The models there are, by name. More may come; those that are here keep their hashes within a
/// revision of the numerics.
std::vector<std::string_view> models();

/// Trains the model on data made from random numbers: 200 updates of the tutorial's model, 50 of
/// any other. Throws ValueError for another name.
Result train(std::string_view model);

/// FNV-1a of 64 bits, continuing from `hash`.
/// Source: Fowler, Noll, Vo; http://www.isthe.com/chongo/tech/comp/fnv
std::uint64_t fnv1a(std::span<const std::byte> bytes, std::uint64_t hash = 0xcbf29ce484222325);

/// The hash of all results together, names included.
std::uint64_t combined(std::span<const Result> results);

/// Sixteen hexadecimal digits.
std::string to_text(std::uint64_t hash);

/// What is wrong with a result beside src/signature/expected.h; empty where nothing is.
std::string difference(const Result& result);

/// {"isa":"avx512","revision":1,"hash":"...","models":{"rnn_relu":"...",...}}
std::string to_json(std::span<const Result> results);

}  // namespace unroll::signature
