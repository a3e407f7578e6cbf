// What parameter groups say, parameter by parameter.
#pragma once

#include "unroll/optim/optimizer.h"

namespace unroll::optim {

/// All groups' parameters, in order.
template <class Options>
Parameters parameters_of(const ParameterGroups<Options>& groups) {
  Parameters all;
  for (const auto& group : groups)
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  return all;
}

/// The options of each of parameters_of(groups).
template <class Options>
std::vector<Options> options_of(const ParameterGroups<Options>& groups) {
  std::vector<Options> all;
  for (const auto& group : groups) all.insert(all.end(), group.parameters.size(), group.options);
  return all;
}

/// Zeros like each of parameters_of(groups) for which `needed`, a member of the options, is neither
/// 0 nor false; undefined for the others.
template <class Options, class Member>
std::vector<Tensor> zeros_where(const ParameterGroups<Options>& groups, Member needed) {
  std::vector<Tensor> state;
  for (const auto& group : groups)
    for (const Parameter& p : group.parameters)
      state.push_back(group.options.*needed ? Tensor::zeros(p.value.shape(), p.value.dtype())
                                            : Tensor());
  return state;
}

}  // namespace unroll::optim
