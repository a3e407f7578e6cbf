#include "data/table_faults.h"

#include <fmt/format.h>

#include "core/list_text.h"
#include "core/printable.h"
#include "core/suggest.h"
#include "unroll/core/error.h"

namespace unroll::data {
namespace {

constexpr std::size_t kShown = 40;

}  // namespace

std::string RepeatedFault::text() const {
  if (count_ < 2) return first_;
  std::string text = fmt::format("{} (also in line{} {}", first_, count_ > 2 ? "s" : "", lines_[1]);
  const bool all = count_ == static_cast<std::int64_t>(lines_.size());
  for (std::size_t i = 2; i < lines_.size(); ++i)
    text += fmt::format("{}{}", all && i + 1 == lines_.size() ? " and " : ", ", lines_[i]);
  if (!all) text += fmt::format(" and {} more", count_ - static_cast<std::int64_t>(lines_.size()));
  return text + ")";
}

std::string shown_value(std::string_view value) { return in_quotes(value, kShown); }

std::string shown_name(std::string_view name) {
  return name.size() <= kShown ? std::string(name) : in_quotes(name, kShown);
}

void refuse_column(const std::string& path, std::string_view name,
                   const std::vector<std::string>& names) {
  ListText list;
  for (const std::string& column : names) list.add(shown_name(column));
  const std::vector<std::string_view> candidates(names.begin(), names.end());
  throw ValueError("data",
                   fmt::format("{} has no column {}, its columns are {}{}", path, shown_value(name),
                               list.text(), did_you_mean(name, candidates)));
}

}  // namespace unroll::data
