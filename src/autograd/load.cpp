#include "autograd/load.h"

#include <fmt/format.h>

#include <map>

#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll {

void load_by_name(const Parameters& own, const Parameters& values, std::string_view owner,
                  std::string_view file) {
  std::string differences;
  const auto differ = [&](const std::string& text) {
    differences += (differences.empty() ? "" : "; ") + text;
  };
  const auto by_name = [&](const Parameters& parameters) {
    std::map<std::string_view, Tensor> tensors;
    for (const Parameter& p : parameters)
      if (!tensors.emplace(p.name, p.value).second)
        differ(fmt::format("{} is there twice", p.name));
    return tensors;
  };
  const auto own_tensors = by_name(own), given = by_name(values);
  for (const Parameter& p : own) {
    const auto found = given.find(p.name);
    if (found == given.end())
      differ(fmt::format("{} is missing", p.name));
    else if (found->second.shape() != p.value.shape())
      differ(fmt::format("{} has shape {}, expected {}", p.name, found->second.shape().str(),
                         p.value.shape().str()));
  }
  for (const Parameter& v : values)
    if (!own_tensors.contains(v.name))
      differ(fmt::format("{} is not part of this {}", v.name, owner));
  if (!differences.empty())
    throw FormatError("load",
                      file.empty() ? differences : fmt::format("{}: {}", file, differences));
  for (const Parameter& p : own) copy_into(p.value, given.at(p.name).to(p.value.dtype()));
}

}  // namespace unroll
