// Reads the pages of `unroll report`.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace unroll::test {

/// The data of a page, as a browser finds it: the text of the element "data" up to its end.
inline nlohmann::json data_of_page(const std::string& html) {
  const std::string start = R"(<script type="application/json" id="data">)";
  const std::size_t at = html.find(start);
  if (at == html.npos) throw std::runtime_error("the page has no data");
  const std::size_t first = at + start.size(), end = html.find("</script", first);
  return nlohmann::json::parse(html.substr(first, end - first));
}

}  // namespace unroll::test
