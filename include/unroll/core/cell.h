// Cells of one's own for recurrent layers: the element-wise arithmetic between the sums of the
// gates and the states. docs/adding_a_cell.md goes through one.
#pragma once

#include <cstddef>
#include <string_view>

namespace unroll {

/// What a recurrent layer must know of its cell. The gates' blocks of H rows are stacked in the
/// weights.
struct CellTraits {
  std::size_t gates = 1;  ///< G, at least 1
  /// J, at most G: the first J gates need only the sum of the input's and the state's part; of the
  /// others the cell gets both parts. A row of sums z is
  ///
  ///     [J joint | G - J of the input | G - J of the state]      each H numbers
  std::size_t joint = 1;
  bool memory = false;  ///< has a second state c
  bool direct = false;  ///< h_{t-1} reaches h_t also past the weights, as in a GRU
};

/// One sequence at one time step, forward. T is float or double; all arrays have H numbers but z.
template <class T>
struct CellRow {
  std::size_t hidden = 0;
  T* z = nullptr;               ///< in: the sums; out: whatever backward wants to find
  const T* h_before = nullptr;  ///< h_{t-1}, null: zeros
  const T* c_before = nullptr;  ///< c_{t-1}, null: zeros
  T* h = nullptr;               ///< out: h_t
  T* c = nullptr;               ///< out: c_t, with a memory
};

/// The same, backward: dL/d(sums) from dL/dh_t and dL/dc_t.
template <class T>
struct CellGradientRow {
  std::size_t hidden = 0;
  T* z = nullptr;  ///< in: what forward left; out: the gradients of the sums
  const T* h_before = nullptr;
  const T* c_before = nullptr;
  T* dh =
      nullptr;  ///< in: of h_t; out, if `direct`: the part of h_{t-1}'s that is past the weights
  T* dc = nullptr;  ///< in: of c_t; out: of c_{t-1}
};

/// A cell as the layers take it; custom_cell makes one.
struct CustomCell {
  std::string_view name;
  CellTraits traits;
  void (*forward_f32)(const CellRow<float>&) noexcept;
  void (*forward_f64)(const CellRow<double>&) noexcept;
  void (*backward_f32)(const CellGradientRow<float>&) noexcept;
  void (*backward_f64)(const CellGradientRow<double>&) noexcept;
};

/// The cell that a type describes:
///
///     struct Mine {
///       static constexpr std::string_view name = "mine";
///       static constexpr CellTraits traits{.gates = 2, .joint = 1};
///       template <class T> static void forward(const CellRow<T>& row) noexcept;
///       template <class T> static void backward(const CellGradientRow<T>& row) noexcept;
///     };
///
/// Traits out of their ranges don't compile.
template <class C>
inline constexpr CustomCell custom_cell = [] {
  static_assert(C::traits.gates >= 1, "a cell has at least 1 gate");
  static_assert(C::traits.joint <= C::traits.gates, "a cell has no more joint gates than gates");
  return CustomCell{C::name,
                    C::traits,
                    &C::template forward<float>,
                    &C::template forward<double>,
                    &C::template backward<float>,
                    &C::template backward<double>};
}();

}  // namespace unroll
