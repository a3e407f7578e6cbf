#include "support/patterns.h"

#include <regex>

namespace unroll::test {

bool matches(const std::string& text, const std::string& pattern) {
  return std::regex_match(text, std::regex(pattern));
}

std::vector<std::string> search(const std::string& text, const std::string& pattern) {
  std::smatch found;
  std::regex_search(text, found, std::regex(pattern));
  return {found.begin(), found.end()};
}

std::vector<std::string> search_all(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<std::string> all;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
    all.push_back(at->str());
  return all;
}

}  // namespace unroll::test
