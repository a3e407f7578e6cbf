// Episodes: the parts of a batch of sequences between resets of the state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/parallel.h"

namespace unroll::kernels {

/// The episodes of N sequences of T steps, as rows of a batch of their own, longest first. A state
/// that is reset before a step begins an episode there.
class Episodes {
 public:
  /// `resets` is (T, N): not 0 where the state before the step is zeros.
  Episodes(const std::uint8_t* resets, std::size_t steps, std::size_t batch);

  struct Episode {
    std::size_t sequence, first, length;
    bool continues;  // begins with step 0, from the initial state of its sequence
    bool is_last;    // ends with step T - 1
  };
  const std::vector<Episode>& all() const { return episodes_; }
  std::size_t count() const { return episodes_.size(); }
  std::size_t steps() const { return lengths_[0]; }  // of the longest
  const std::size_t* lengths() const { return lengths_.data(); }
  /// For sequences without gaps (Sequence::first_row).
  const std::size_t* first_row() const { return first_row_.data(); }

  /// Calls f(row, t, n) on all threads: row `row` of the episodes without gaps is step t of
  /// sequence n. `columns` is the size of a row.
  template <class F>
  void for_rows(std::size_t columns, F f) const {
    constexpr std::size_t kElementsPerTask = std::size_t{1} << 14;
    const std::size_t steps_at_once = 1 + kElementsPerTask / (columns * count() + 1);
    parallel_pieces(steps(), steps_at_once, [&](std::size_t begin, std::size_t end) {
      for (std::size_t s = begin; s < end; ++s)
        for (std::size_t m = 0; first_row_[s] + m < first_row_[s + 1]; ++m)
          f(first_row_[s] + m, episodes_[m].first + s, episodes_[m].sequence);
    });
  }

 private:
  std::vector<Episode> episodes_;
  std::vector<std::size_t> lengths_, first_row_;
};

}  // namespace unroll::kernels
