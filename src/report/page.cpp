#include "report/page.h"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "embedded/javascript.h"
#include "embedded/page.h"

namespace unroll::report {
namespace {

using Replacements = std::vector<std::pair<std::string_view, std::string_view>>;

/// The text with every `from` replaced. What is put in is not searched again.
std::string replaced(std::string_view text, const Replacements& all) {
  std::string result;
  std::size_t size = text.size();
  for (const auto& [from, to] : all) size += to.size();
  result.reserve(size);
  while (!text.empty()) {
    std::size_t at = text.size();
    const auto* found = &all.front();
    for (const auto& one : all)
      if (const std::size_t here = text.find(one.first); here < at) {
        at = here;
        found = &one;
      }
    result += text.substr(0, at);
    if (at == text.size()) break;
    result += found->second;
    text.remove_prefix(at + found->first.size());
  }
  return result;
}

}  // namespace

std::string script_json(const nlohmann::ordered_json& data) {
  using Json = nlohmann::ordered_json;
  const std::string text = data.dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {  // in JSON, these are only inside texts
    if (c == '<')
      result += "\\u003c";
    else if (c == '>')
      result += "\\u003e";
    else if (c == '&')
      result += "\\u0026";
    else
      result += c;
  }
  return result;
}

std::string page(const nlohmann::ordered_json& data, std::string_view title,
                 std::string_view unrolled) {
  const std::string json = script_json(data);
  const std::string name =
      replaced(title, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
  return replaced(embedded::page_html, {{"<!--TITLE-->", name},
                                        {"/*STYLE*/", embedded::page_css},
                                        {"/*CHART*/", embedded::chart_min_js},
                                        {"/*NETWORK*/", embedded::network_js},
                                        {"/*SCRIPTS*/", embedded::page_scripts_js},
                                        {"/*DATA*/", json},
                                        {"<!--UNROLLED-->", unrolled}});
}

bool is_page(std::string_view text) {
  return text.starts_with("<!DOCTYPE html>") &&
         text.substr(0, 1000).find(R"(<meta name="generator" content="Unroll">)") != text.npos;
}

}  // namespace unroll::report
