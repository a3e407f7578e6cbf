#include "import/pickle.h"

namespace unroll::importer {

using Kind = Value::Kind;

std::string_view Pickle::text(Ref ref) const {
  const Value& value = values_[ref];
  if (value.kind == Kind::text) return bytes_.substr(value.slice.first, value.slice.size);
  if (value.kind != Kind::global) return {};
  return std::string_view(names_).substr(value.slice.first, value.slice.size);
}

std::span<const Ref> Pickle::items(Ref ref) const {
  const Value& value = values_[ref];
  switch (value.kind) {
    case Kind::list:
    case Kind::dict:
    case Kind::object:
      return lists_[value.growing.list];
    case Kind::tuple:
    case Kind::storage:
    case Kind::tensor:
      return std::span(slices_).subspan(value.slice.first, value.slice.size);
    default:
      return {};
  }
}

std::string_view Pickle::made_by(Ref object) const {
  return values_[object].kind == Kind::object ? text(values_[object].global) : std::string_view();
}

std::span<const Ref> Pickle::members(Ref ref) const {
  const Value& value = values_[ref];
  if (value.kind == Kind::dict) return items(ref);
  if (value.kind != Kind::object) return {};
  // For a subclass of dict, the items count, even if it has attributes.
  Ref state = value.growing.state;
  if (state == kNothing || value.growing.list != 0) return items(ref);
  // The state of a class with __slots__ is a tuple of two dictionaries.
  if (is(state, Kind::tuple) && !items(state).empty()) state = items(state)[0];
  return is(state, Kind::dict) ? items(state) : std::span<const Ref>();
}

Ref Pickle::add(Value value) {
  values_.push_back(value);
  return static_cast<Ref>(values_.size() - 1);
}

Ref Pickle::add_text(std::size_t first, std::size_t size) {
  return add({.kind = Kind::text,
              .slice = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(size)}});
}

Ref Pickle::add_global(std::string_view module, std::string_view name) {
  const auto first = static_cast<std::uint32_t>(names_.size());
  names_.append(module).append(".").append(name);
  return add({.kind = Kind::global,
              .slice = {first, static_cast<std::uint32_t>(module.size() + name.size() + 1)}});
}

Ref Pickle::add_object(Ref global) {
  return add({.kind = Kind::object, .global = global, .growing = {0, kNothing}});
}

Ref Pickle::add_slice(Kind kind, std::span<const Ref> items) {
  const auto first = static_cast<std::uint32_t>(slices_.size());
  slices_.insert(slices_.end(), items.begin(), items.end());
  return add({.kind = kind, .slice = {first, static_cast<std::uint32_t>(items.size())}});
}

void Pickle::extend(Ref ref, std::span<const Ref> items) {
  if (items.empty()) return;
  Value& value = values_[ref];
  if (value.growing.list == 0) {
    value.growing.list = static_cast<Ref>(lists_.size());
    lists_.emplace_back();
  }
  std::vector<Ref>& list = lists_[value.growing.list];
  list.insert(list.end(), items.begin(), items.end());
}

bool Pickle::pairs_to_dict(Ref list) {
  std::vector<Ref> flat;
  for (const Ref pair : items(list)) {
    const auto two = items(pair);
    if (two.size() != 2) return false;
    flat.insert(flat.end(), two.begin(), two.end());
  }
  Value& value = values_[list];
  value.kind = Kind::dict;
  if (value.growing.list != 0) lists_[value.growing.list] = std::move(flat);
  return true;
}

}  // namespace unroll::importer
