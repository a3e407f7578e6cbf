// Episodes: the parts of a batch of sequences between resets of the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace unroll::kernels {

/// The episodes of N sequences of T steps, as rows of a batch of their own, longest first. A state
/// that is reset before a step begins an episode there. N and T are at least 1.
class Episodes {
 public:
  /// `resets` is (T, N): not 0 where the state before the step is zeros. Throws std::bad_alloc.
  Episodes(const std::uint8_t* resets, std::size_t steps, std::size_t batch);

  struct Episode {
    std::size_t sequence, first, length;
    bool continues;  // begins with step 0, from the initial state of its sequence
    bool is_last;    // ends with step T - 1
  };
  const Episode& operator[](std::size_t m) const { return episodes_[m]; }
  std::size_t count() const { return episodes_.size(); }
  std::size_t steps() const { return lengths_[0]; }  // of the longest
  const std::size_t* lengths() const { return lengths_.data(); }
  /// For sequences without gaps (Sequence::first_row).
  const std::size_t* first_row() const { return first_row_.data(); }

 private:
  std::vector<Episode> episodes_;
  std::vector<std::size_t> lengths_, first_row_;
};

}  // namespace unroll::kernels
