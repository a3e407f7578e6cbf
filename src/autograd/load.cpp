#include "autograd/load.h"

#include <fmt/format.h>

#include <map>

#include "core/list_text.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll {

void load_by_name(const Parameters& own, const Parameters& values, std::string_view owner,
                  std::string_view file) {
  ListText differences;
  const auto by_name = [&](const Parameters& parameters) {
    std::map<std::string_view, Tensor> tensors;
    for (const Parameter& p : parameters)
      if (!tensors.emplace(p.name, p.value).second)
        differences.add(fmt::format("{} is listed twice", p.name));
    return tensors;
  };
  const auto own_tensors = by_name(own), given = by_name(values);
  for (const Parameter& p : own) {
    const auto found = given.find(p.name);
    if (found == given.end())
      differences.add(fmt::format("{} is missing", p.name));
    else if (found->second.shape() != p.value.shape())
      differences.add(fmt::format("{} has shape {}, expected {}", p.name,
                                  found->second.shape().str(), p.value.shape().str()));
  }
  for (const Parameter& v : values)
    if (!own_tensors.contains(v.name))
      differences.add(fmt::format("{} is not part of this {}", v.name, owner));
  if (!differences.empty())
    throw FormatError("load", file.empty() ? differences.text("; ")
                                           : fmt::format("{}: {}", file, differences.text("; ")));
  for (const Parameter& p : own) copy_into(p.value, given.at(p.name).to(p.value.dtype()));
}

}  // namespace unroll
