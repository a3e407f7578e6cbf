#include "core/json.h"

#include <fmt/format.h>

#include <cfenv>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "core/file_kind.h"
#include "core/printable.h"

namespace unroll {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t deepest = 32;
constexpr std::size_t most_keys = 1024;

/// Decimal numbers are rounded to doubles, by the C library's strtod: it follows std::fesetround,
/// as FloatEnvironment, which sets the vector unit alone, does not.
class ToNearest {
 public:
  ToNearest() { std::fesetround(FE_TONEAREST); }
  ~ToNearest() { std::fesetround(before_); }
  ToNearest(const ToNearest&) = delete;
  ToNearest& operator=(const ToNearest&) = delete;

 private:
  int before_ = std::fegetround();
};

/// Why a text is no JSON: what it is instead, or else the place where it stops being JSON.
std::string not_json(std::string_view text, std::string_view place) {
  const auto kind = file_kind(std::as_bytes(std::span(text)));
  const bool is_text = !kind || kind->is_text || text.empty();
  if (is_text) return fmt::format("it is not JSON {}", place);
  return fmt::format("it is not JSON but {}{}{}", kind->what, kind->remedy.empty() ? "" : "; ",
                     kind->remedy);
}

/// Checks a text before a tree is made of it. (The library can check while it makes one, but then
/// goes through all of a list again after each object in it.)
class Bounds final : public nlohmann::json_sax<Json> {
 public:
  Bounds(std::string_view text, const std::function<void(std::string_view)>& refuse)
      : text_(text), refuse_(refuse) {}

  bool start_object(std::size_t) override { return open(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& text) override {
    if (!keys_.back().insert(text).second)
      refuse_(fmt::format("the key {} is there twice", in_quotes(text)));
    if (keys_.back().size() > most_keys)
      refuse_(fmt::format("an object has more than {} keys", most_keys));
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (dynamic_cast<const Json::out_of_range*>(&error))
      refuse_("a number in it is too large");
    else
      refuse_(not_json(text_, fmt::format("in UTF-8 (byte {})", position)));
    return false;
  }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(std::int64_t) override { return true; }
  bool number_unsigned(std::uint64_t) override { return true; }
  bool number_float(double, const std::string&) override { return true; }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }

 private:
  bool open() {
    if (keys_.size() == deepest) refuse_(fmt::format("it is nested deeper than {}", deepest));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    keys_.pop_back();
    return true;
  }

  std::string_view text_;
  const std::function<void(std::string_view)>& refuse_;
  std::vector<std::set<std::string>> keys_;  // of every object, or empty for a list, that is open
};

}  // namespace

Json parse_json(std::string_view text, const std::function<void(std::string_view)>& refuse) {
  // The parser would take a NUL for the end and let anything follow it.
  if (const auto nul = text.find('\0'); nul != text.npos)
    refuse(not_json(text, fmt::format("(byte {} is NUL)", nul + 1)));
  Bounds bounds(text, refuse);
  const ToNearest rounding;
  Json::sax_parse(text, &bounds);
  return Json::parse(text);
}

}  // namespace unroll
