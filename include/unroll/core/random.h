// Random numbers: PyTorch's sequence, or Unroll's own, which is counter-based.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"

namespace unroll {

/// The engine that makes the random bits.
enum class Rng {
  native,  ///< Philox 4x32-10 (Salmon 2011), keyed by the seed and a stream number.
  torch,   ///< MT19937, bit for bit what PyTorch draws on a CPU; only the seed's low 32 bits count.
};

/// A source of random numbers. Every draw is a pure function of the engine, the seed, the stream
/// and the draws before it.
///
/// Both engines use PyTorch's transformations, below. So Rng::torch gives the numbers of
/// torch.rand, torch.randn, torch.randperm and Tensor.uniform_ to the bit, as PyTorch computes them
/// on AVX2 or better. Exception: normals in f64, and normals in f32 in a call for fewer than 16,
/// use Unroll's own log, sin and cos. They may differ in the last bits of an f64.
/// Source: https://pytorch.org/docs/stable/notes/randomness.html and Salmon et al., "Parallel
/// random numbers: as easy as 1, 2, 3", SC 2011.
class UNROLL_API Generator {
 public:
  /// `stream` selects an independent sequence of the native engine. Throws ValueError for the torch
  /// engine with a stream other than 0.
  explicit Generator(std::uint64_t seed, Rng rng = Rng::native, std::uint64_t stream = 0);
  ~Generator();
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;
  /// A copy draws the same numbers as the original from here on.
  Generator(const Generator&);
  Generator& operator=(const Generator&);

  /// Starts again from `seed`. Also forgets a cached normal and the number of child seeds.
  void manual_seed(std::uint64_t seed);

  std::uint32_t next_u32();
  std::uint64_t next_u64();   ///< Two u32, the first in the high half.
  std::int64_t random_i64();  ///< Tensor.random_() of int64: in [0, 2^63).

  /// Fills `out` as Tensor.uniform_ does: low + x (high - low), in [low, high). x in [0, 1) has 24
  /// bits for float, 53 for double.
  /// Throws ValueError unless low <= high and both, and their difference, are finite.
  void uniform(std::span<float> out, double low, double high);
  void uniform(std::span<double> out, double low, double high);

  /// Fills `out` as Tensor.normal_ does (Box-Muller). One call for n numbers gives other numbers
  /// than several calls for n in total.
  /// Throws ValueError unless both are finite and std >= 0.
  void normal(std::span<float> out, double mean, double std);
  void normal(std::span<double> out, double mean, double std);

  /// torch.randperm(n): 0 to n-1 in a random order.
  /// Throws ValueError unless 0 <= n < 214748364. Above, PyTorch uses another method.
  std::vector<std::int64_t> permutation(std::int64_t n);
  void permutation(std::span<std::int64_t> out);  ///< the same for n = out.size()

  /// A seed for another source of random numbers, such as a layer's masks. The k-th call returns a
  /// function of this generator's seed, stream and k. Draws nothing, so later numbers do not
  /// change.
  std::uint64_t child_seed();

  Rng rng() const;

  /// The complete state as text, for a checkpoint.
  std::string state() const;
  /// Continues from a text that state() returned. Throws FormatError for any other text, and then
  /// changes nothing.
  void load_state(std::string_view state);

 private:
  struct __attribute__((visibility("hidden"))) State;
  std::unique_ptr<State> state_;
};

/// The generator of initial values and shuffling if no other is given. Each thread has its own:
/// native, with seed 0 until manual_seed() is called.
UNROLL_API Generator& default_generator();

/// Seeds the calling thread's default generator, as torch.manual_seed does.
UNROLL_API void manual_seed(std::uint64_t seed, Rng rng = Rng::native);

}  // namespace unroll
