// The weights of a recurrent layer by role. This is the only list of them.
#pragma once

#include <array>
#include <cstddef>

namespace unroll {

/// A weight of one recurrent layer in one direction: G gates, I inputs, H hidden units, P elements
/// of a projected h. Weights are drawn, registered and described in this order.
enum class WeightRole : std::size_t {
  weight_ih,  ///< (G H, I)
  weight_hh,  ///< (G H, H or P)
  bias_ih,    ///< (G H)
  bias_hh,    ///< (G H)
  weight_hr,  ///< (P, H): projects h
  // Layer normalisation: weight and bias for the input's part, the state's part and c.
  norm_ih_weight,  ///< (G H)
  norm_ih_bias,    ///< (G H)
  norm_hh_weight,  ///< (G H)
  norm_hh_bias,    ///< (G H)
  norm_c_weight,   ///< (H)
  norm_c_bias,     ///< (H)
};
inline constexpr std::size_t weight_roles = 11;  ///< number of roles

/// All roles, in order.
inline constexpr std::array<WeightRole, weight_roles> all_weight_roles = [] {
  std::array<WeightRole, weight_roles> all{};
  for (std::size_t i = 0; i < weight_roles; ++i) all[i] = static_cast<WeightRole>(i);
  return all;
}();

/// One value for each role: a tensor, a pointer or an offset.
template <class V>
struct PerRole {
  std::array<V, weight_roles> values{};

  constexpr V& operator[](WeightRole role) { return values[static_cast<std::size_t>(role)]; }
  constexpr const V& operator[](WeightRole role) const {
    return values[static_cast<std::size_t>(role)];
  }
  constexpr auto begin() const { return values.begin(); }
  constexpr auto end() const { return values.end(); }
};

}  // namespace unroll
