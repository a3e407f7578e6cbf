// User-defined cells of recurrent layers: the element-wise arithmetic from the sums of the gates to
// the states. docs/adding_a_cell.md explains one step by step.
#pragma once

#include <cstddef>
#include <string_view>

namespace unroll {

/// Properties of a cell. The weights stack one block of H rows for each gate.
struct CellTraits {
  std::size_t gates = 1;  ///< number of gates G, at least 1
  /// J, at most G. The first J gates get the sum W_ih x + W_hh h, biases included. The other G - J
  /// gates get the input's part and the state's part separately. A row of sums z is
  ///
  ///     [J joint | G - J of the input | G - J of the state]      each H numbers
  std::size_t joint = 1;
  bool memory = false;  ///< the cell has a second state, c
  /// h_{t-1} also reaches h_t directly, not only through the weights, as in a GRU
  bool direct = false;
};

/// One sequence at one time step, forward pass. T is float or double. All arrays have H numbers,
/// except z, which has (2 G - J) H.
template <class T>
struct CellRow {
  std::size_t hidden = 0;
  T* z = nullptr;               ///< in: the sums; out: the values that backward needs
  const T* h_before = nullptr;  ///< h_{t-1}; null means zeros
  const T* c_before = nullptr;  ///< c_{t-1}; null means zeros
  T* h = nullptr;               ///< out: h_t
  T* c = nullptr;               ///< out: c_t, if the cell has a memory
};

/// One sequence at one time step, backward pass: dL/d(sums) from dL/dh_t and dL/dc_t.
template <class T>
struct CellGradientRow {
  std::size_t hidden = 0;
  T* z = nullptr;  ///< in: z as forward left it; out: the gradients of the sums
  const T* h_before = nullptr;
  const T* c_before = nullptr;
  /// in: dL/dh_t; out, if `direct`: the part of dL/dh_{t-1} that bypasses the weights
  T* dh = nullptr;
  T* dc = nullptr;  ///< in: dL/dc_t; out: dL/dc_{t-1}
};

/// A cell in the form that the layers take. custom_cell makes one from a type.
struct CustomCell {
  std::string_view name;
  CellTraits traits;
  void (*forward_f32)(const CellRow<float>&) noexcept;
  void (*forward_f64)(const CellRow<double>&) noexcept;
  void (*backward_f32)(const CellGradientRow<float>&) noexcept;
  void (*backward_f64)(const CellGradientRow<double>&) noexcept;
};

/// The CustomCell of a type C, such as
///
///     struct Mine {
///       static constexpr std::string_view name = "mine";
///       static constexpr CellTraits traits{.gates = 2, .joint = 1};
///       template <class T> static void forward(const CellRow<T>& row) noexcept;
///       template <class T> static void backward(const CellGradientRow<T>& row) noexcept;
///     };
///
/// Traits outside their ranges do not compile.
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
