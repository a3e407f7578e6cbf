#include "core/list_text.h"

#include <fmt/format.h>

namespace unroll {

std::string ListText::text(std::string_view separator) const {
  std::string text = fmt::format("{}", fmt::join(first_, separator));
  if (count_ > most) text += fmt::format(" and {} more", count_ - most);
  return text;
}

}  // namespace unroll
