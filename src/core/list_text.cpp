#include "core/list_text.h"

#include <fmt/format.h>

namespace unroll {

std::string text_with_or(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i)
    text += (i == 0 ? "" : i + 1 < items.size() ? ", " : " or ") + items[i];
  return text;
}

std::string ListText::text(std::string_view separator) const {
  std::string text = fmt::format("{}", fmt::join(first_, separator));
  if (count_ > most) text += fmt::format(" and {} more", count_ - most);
  return text;
}

}  // namespace unroll
