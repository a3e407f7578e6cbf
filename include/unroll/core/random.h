// Random numbers: PyTorch's own sequence, or Unroll's counter-based one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unroll/core/api.h"

namespace unroll {

/// Where random bits come from.
enum class Rng {
  native,  ///< Philox 4x32-10 (Salmon 2011), keyed by the seed and a stream number.
  torch,   ///< MT19937, bit for bit what PyTorch draws on a CPU; only the seed's low 32 bits count.
};

/// A source of random numbers; every draw is a pure function of (engine, seed, draws before it).
///
/// Both engines share the transformations below, which are PyTorch's, so Rng::torch gives
/// the numbers of torch.rand, torch.randn, torch.randperm and Tensor.uniform_ to the bit (those of
/// PyTorch on AVX2 and better; f64 normals, and f32 ones in calls of fewer than 16, come from
/// Unroll's own log, sin and cos and may differ in the last bits of an f64).
/// Source: https://pytorch.org/docs/stable/notes/randomness.html and Salmon et al., "Parallel
/// random numbers: as easy as 1, 2, 3", SC 2011.
class UNROLL_API Generator {
 public:
  /// `stream` selects an independent sequence of the native engine; the torch engine has only 0 and
  /// throws ValueError for another.
  explicit Generator(std::uint64_t seed, Rng rng = Rng::native, std::uint64_t stream = 0);
  ~Generator();
  Generator(Generator&&) noexcept;
  Generator& operator=(Generator&&) noexcept;
  /// A copy draws the same numbers as the original from here on.
  Generator(const Generator&);
  Generator& operator=(const Generator&);

  /// Starts again from `seed`; also forgets a cached normal and the seeds given out.
  void manual_seed(std::uint64_t seed);

  std::uint32_t next_u32();
  std::uint64_t next_u64();   ///< Two u32, the first in the high half.
  std::int64_t random_i64();  ///< Tensor.random_() of int64: in [0, 2^63).

  /// Tensor.uniform_: low + x (high - low), x in [0, 1) of 24 (float) or 53 bits; in [low, high).
  /// Throws ValueError unless low <= high and both, and their difference, are finite.
  void uniform(std::span<float> out, double low, double high);
  void uniform(std::span<double> out, double low, double high);

  /// Tensor.normal_ (Box-Muller). Other numbers for one call of n than for several that add up to
  /// n. Throws ValueError unless both are finite and std >= 0.
  void normal(std::span<float> out, double mean, double std);
  void normal(std::span<double> out, double mean, double std);

  /// torch.randperm(n): 0 to n-1 in a random order.
  /// Throws ValueError unless 0 <= n < 214748364, where PyTorch changes its method.
  std::vector<std::int64_t> permutation(std::int64_t n);
  void permutation(std::span<std::int64_t> out);  ///< the same of as many as `out` has room for

  /// A seed for what draws on its own (a layer's masks): the k-th call gives a function of this
  /// generator's seed, stream and k. Draws nothing, so the numbers that follow are those without
  /// it.
  std::uint64_t child_seed();

  Rng rng() const;

  /// Everything that later draws depend on, as text, for a checkpoint.
  std::string state() const;
  /// Goes on from where a generator was when it gave out `state`. Throws FormatError for any other
  /// text; nothing is changed then.
  void load_state(std::string_view state);

 private:
  struct __attribute__((visibility("hidden"))) State;
  std::unique_ptr<State> state_;
};

/// The generator that layers initialise from and loaders shuffle with unless given another one.
/// One per thread, native and seeded with 0 until manual_seed() is called.
UNROLL_API Generator& default_generator();

/// Seeds the calling thread's default generator, as torch.manual_seed does.
UNROLL_API void manual_seed(std::uint64_t seed, Rng rng = Rng::native);

}  // namespace unroll
