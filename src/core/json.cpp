#include "core/json.h"

#include <fmt/format.h>

#include <cfenv>
#include <set>
#include <string>
#include <vector>

#include "core/file_kind.h"
#include "core/json_events.h"
#include "core/printable.h"

namespace unroll {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t deepest = 32;
constexpr std::size_t most_keys = 1024;

/// Sets std::fesetround to nearest, because strtod rounds decimal numbers by it. FloatEnvironment
/// sets only the vector unit.
class ToNearest {
 public:
  ToNearest() { std::fesetround(FE_TONEAREST); }
  ~ToNearest() { std::fesetround(before_); }
  ToNearest(const ToNearest&) = delete;
  ToNearest& operator=(const ToNearest&) = delete;

 private:
  int before_ = std::fegetround();
};

/// Why a text is not JSON: its real kind, or the place of the error.
std::string not_json(std::string_view text, std::string_view place) {
  const auto kind = file_kind(std::as_bytes(std::span(text)));
  const bool is_text = !kind || kind->is_text || text.empty();
  if (is_text) return fmt::format("it is not JSON {}", place);
  return fmt::format("it is not JSON but {}{}{}", kind->what, kind->remedy.empty() ? "" : "; ",
                     kind->remedy);
}

/// Makes the tree, within bounds. (The library's own callback would go through a whole list again
/// after each object in it.)
class Tree final : public JsonEvents {
 public:
  Tree(std::string_view text, const std::function<void(std::string_view)>& refuse)
      : text_(text), refuse_(refuse) {}

  Json take() { return std::move(root_); }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& text) override {
    auto& keys = open_.back().keys;
    if (!keys.insert(text).second)
      refuse_(fmt::format("the key {} appears twice", in_quotes(text)));
    if (keys.size() > most_keys) refuse_(fmt::format("an object has more than {} keys", most_keys));
    key_ = text;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (dynamic_cast<const Json::out_of_range*>(&error))
      refuse_("it has a number that is too large");
    else
      refuse_(not_json(text_, fmt::format("in UTF-8 (byte {})", position)));
    return false;
  }

  bool null() override { return add(Json()); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string&) override { return add(value); }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(Json::binary_t&) override { return true; }

 private:
  struct Open {  // an object or a list
    Json* value;
    std::set<std::string> keys;
  };

  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  Json& place(Json value) {
    if (open_.empty()) return root_ = std::move(value);
    Json& into = *open_.back().value;
    if (into.is_array()) return into.emplace_back(std::move(value));
    // Not operator[], which searches all keys.
    return into.get_ref<Json::object_t&>().emplace_back(std::move(key_), std::move(value)).second;
  }
  bool open(Json value) {
    if (open_.size() == deepest) refuse_(fmt::format("it is nested deeper than {}", deepest));
    // The pointer stays valid, because the parent does not grow before this value is closed.
    open_.push_back({&place(std::move(value)), {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::function<void(std::string_view)>& refuse_;
  Json root_;
  std::string key_;
  std::vector<Open> open_;
};

/// A type of this file only. So the compiler sees all uses of its parser and leaves out the parts
/// for binary formats: 20 KB.
struct Text : std::string_view {};

}  // namespace

void read_json(std::string_view text, JsonEvents& events) { Json::sax_parse(Text{text}, &events); }

Json parse_json(std::string_view text, const std::function<void(std::string_view)>& refuse) {
  // The parser would take a NUL for the end, and ignore the rest.
  if (const auto nul = text.find('\0'); nul != text.npos)
    refuse(not_json(text, fmt::format("(byte {} is NUL)", nul + 1)));
  Tree tree(text, refuse);
  const ToNearest rounding;
  read_json(text, tree);
  return tree.take();
}

}  // namespace unroll
