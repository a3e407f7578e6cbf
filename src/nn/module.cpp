#include "unroll/nn/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "autograd/load.h"
#include "nn/flat_parameters.h"
#include "tensor/tensor_impl.h"
#include "unroll/core/error.h"

namespace unroll::nn {
namespace {

std::uint64_t next_moment() {
  static std::atomic<std::uint64_t> moment = 0;
  return ++moment;
}

}  // namespace

Module::Module() : made_(next_moment()) {}

Module::Module(const Child& place) : Module() {
  place.parent->check_name(place.name);
  place.parent->members_.push_back({place.name, this, {}});
  parent_ = place.parent;
}

Module::~Module() {
  if (parent_)
    std::erase_if(parent_->members_, [this](const Named& m) { return m.module == this; });
  for (const Named& member : members_)
    if (member.module) member.module->parent_ = nullptr;
}

void Module::check_name(const std::string& name) const {
  if (name.empty())
    throw ValueError("module", "the name of a layer or parameter is empty; choose one");
  if (std::ranges::any_of(members_, [&](const Named& m) { return m.name == name; }))
    throw ValueError("module", fmt::format("the name \"{}\" is taken; choose another one, or "
                                           "destroy the layer with this name first",
                                           name));
}

Tensor Module::add_parameter(std::string name, const Tensor& value, int gates) {
  check_name(name);
  Tensor leaf = value.detach().contiguous();
  leaf.set_requires_grad(true);
  leaf.impl()->listing.made = next_moment();
  members_.push_back({name, nullptr, {name, leaf, gates}});
  return leaf;
}

void Module::collect(const std::string& prefix, Parameters& into) {
  for (auto& member : members_) {
    if (member.module) {
      member.module->collect(prefix + member.name + ".", into);
    } else {
      into.push_back(member.parameter);
      into.back().name = prefix + member.name;
    }
  }
}

Parameters Module::parameters() {
  Parameters all;
  collect("", all);
  all = FlatParameters(std::move(all)).parameters();
  if (first_listed_ == 0) first_listed_ = next_moment();
  const bool has_layers =
      std::ranges::any_of(members_, [](const Named& m) { return m.module != nullptr; });
  for (const Parameter& p : all) {
    Listing& listing = p.value.impl()->listing;
    listing.listed = true;
    // The outermost model counts, even if one of its parts lists its parameters later.
    if (has_layers && (listing.model_made == 0 || made_ < listing.model_made))
      listing.model_made = made_, listing.model_listed = first_listed_;
  }
  return all;
}

std::vector<std::pair<std::string, Module*>> Module::children() const {
  std::vector<std::pair<std::string, Module*>> all;
  for (const Named& member : members_)
    if (member.module) all.emplace_back(member.name, member.module);
  return all;
}

void Module::load(const Parameters& values) { load_by_name(parameters(), values, "model"); }

void Module::train(bool mode) {
  training_ = mode;
  for (const auto& member : members_)
    if (member.module) member.module->train(mode);
}

}  // namespace unroll::nn
