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

/// What the parser meets, one thing after the other.
class Bounds {
 public:
  explicit Bounds(const std::function<void(std::string_view)>& refuse) : refuse_(refuse) {}

  bool operator()(int, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start || event == Event::array_start) {
      if (keys_.size() == deepest) refuse_(fmt::format("it is nested deeper than {}", deepest));
      keys_.emplace_back();
    } else if (event == Event::object_end || event == Event::array_end) {
      keys_.pop_back();
    } else if (event == Event::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second)
        refuse_(fmt::format("the key {} is there twice", in_quotes(key)));
      if (keys_.back().size() > most_keys)
        refuse_(fmt::format("an object has more than {} keys", most_keys));
    }
    return true;
  }

 private:
  const std::function<void(std::string_view)>& refuse_;
  std::vector<std::set<std::string>> keys_;  // of every object, or empty for a list, that is open
};

/// Why a text is no JSON: what it is instead, or else the place where it stops being JSON.
std::string not_json(std::string_view text, std::string_view place) {
  const auto kind = file_kind(std::as_bytes(std::span(text)));
  const bool is_text = !kind || kind->is_text || text.empty();
  if (is_text) return fmt::format("it is not JSON {}", place);
  return fmt::format("it is not JSON but {}{}{}", kind->what, kind->remedy.empty() ? "" : "; ",
                     kind->remedy);
}

}  // namespace

Json parse_json(std::string_view text, const std::function<void(std::string_view)>& refuse) {
  // The parser would take a NUL for the end and let anything follow it.
  if (const auto nul = text.find('\0'); nul != text.npos)
    refuse(not_json(text, fmt::format("(byte {} is NUL)", nul + 1)));
  Bounds bounds(refuse);
  const ToNearest rounding;
  try {
    return Json::parse(text, [&](int depth, Json::parse_event_t event, Json& parsed) {
      return bounds(depth, event, parsed);
    });
  } catch (const Json::parse_error& error) {
    refuse(not_json(text, fmt::format("in UTF-8 (byte {})", error.byte)));
  } catch (const Json::out_of_range&) {
    refuse("a number in it is too large");
  }
  return {};
}

}  // namespace unroll
