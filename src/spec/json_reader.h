// Reads and writes the JSON form of a description.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "spec/damaged_description.h"
#include "unroll/spec/layers.h"

namespace unroll::spec {

using Json = nlohmann::ordered_json;

[[noreturn]] inline void fail(std::string_view why) { throw DamagedDescription(why); }

/// A member of an object to write.
struct Member {
  const char* key;
  Json value;
};

/// An object with these members. (The library's own initializer lists make much more code.)
inline Json object_of(std::initializer_list<Member> members) {
  Json object = Json::object();
  for (const Member& member : members)
    object.get_ref<Json::object_t&>().emplace_back(member.key, member.value);
  return object;
}

/// Reads an object strictly: a missing key is an error, and so is a key that nobody read.
class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {
    if (!json.is_object()) fail("a part of it is not a JSON object");
  }

  const Json& at(const char* key) {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(fmt::format("'{}' is missing", key));
    known_.emplace_back(key);
    return *found;
  }

  template <class T>
  T get(const char* key) {
    try {
      return at(key).get<T>();
    } catch (const Json::exception&) {
      fail(fmt::format("'{}' is of the wrong type", key));
    }
  }

  std::int64_t whole(const char* key) {
    if (!at(key).is_number_integer()) fail(fmt::format("'{}' is not a whole number", key));
    const auto value = get<std::int64_t>(key);
    if (value < 0) fail(fmt::format("'{}' is {}, expected at least 0", key, at(key).dump()));
    return value;
  }

  double real(const char* key) {
    if (!at(key).is_number()) fail(fmt::format("'{}' is not a number", key));
    return get<double>(key);
  }

  std::vector<double> reals(const char* key) {
    std::vector<double> values;
    for (const Json& value : get<std::vector<Json>>(key)) {
      if (!value.is_number()) fail(fmt::format("'{}' is not a list of numbers", key));
      values.push_back(value.get<double>());
    }
    return values;
  }

  bool has(const char* key) const { return json_.contains(key); }

  Size2d extent(const char* key) {
    const auto sizes = get<std::vector<Json>>(key);
    if (sizes.size() != 2 || !sizes[0].is_number_integer() || !sizes[1].is_number_integer())
      fail(fmt::format("'{}' is not a height and a width", key));
    return {sizes[0].get<std::int64_t>(), sizes[1].get<std::int64_t>()};
  }

  /// A value of an enumeration, by its name.
  template <class Parse>
  auto named(const char* key, Parse parse) {
    const auto name = get<std::string>(key);
    try {
      return parse(name);
    } catch (const ValueError& error) {
      fail(error.what());
    }
  }

  /// Throws if the object has a key that nobody read.
  void done() const {
    for (const auto& item : json_.items())
      if (std::ranges::find(known_, item.key()) == known_.end())
        fail(fmt::format("'{}' is not known", item.key()));
  }

 private:
  const Json& json_;
  std::vector<std::string> known_;
};

}  // namespace unroll::spec
