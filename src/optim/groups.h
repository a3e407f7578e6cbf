// Parameter groups, spread over single parameters.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "unroll/core/error.h"
#include "unroll/optim/optimizer.h"

namespace unroll::optim {

/// The groups. Throws ValueError if there is no group, or one has no parameters: otherwise nothing
/// would be trained, and nobody would notice.
template <class Options>
const ParameterGroups<Options>& checked(std::string_view optimizer,
                                        const ParameterGroups<Options>& groups) {
  const auto is_empty = [](const auto& group) { return group.parameters.empty(); };
  if (std::ranges::all_of(groups, is_empty))
    throw ValueError(optimizer,
                     "there are no parameters to train; a model's parameters() lists only layers "
                     "made with child(\"name\")");
  if (const auto empty = std::ranges::find_if(groups, is_empty); empty != groups.end())
    throw ValueError(optimizer, fmt::format("group {} of {} has no parameters; leave it out",
                                            empty - groups.begin() + 1, groups.size()));
  return groups;
}

/// All groups' parameters, in order.
template <class Options>
Parameters parameters_of(const ParameterGroups<Options>& groups) {
  Parameters all;
  for (const auto& group : groups)
    all.insert(all.end(), group.parameters.begin(), group.parameters.end());
  return all;
}

/// The options for each of parameters_of(groups).
template <class Options>
std::vector<Options> options_of(const ParameterGroups<Options>& groups) {
  std::vector<Options> all;
  for (const auto& group : groups) all.insert(all.end(), group.parameters.size(), group.options);
  return all;
}

/// Zeros like each of parameters_of(groups) whose option `needed` is neither 0 nor false; undefined
/// for the others.
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
