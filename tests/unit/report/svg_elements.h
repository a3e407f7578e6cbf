// Reads SVG with expat, a strict parser of XML.
#pragma once

#include <expat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace unroll::test {

/// An element of a picture.
struct SvgElement {
  std::string name, group;  // group: the class of the element around it
  std::map<std::string, std::string> attributes = {};
  std::string text = {};

  double number(const std::string& attribute) const { return std::stod(attributes.at(attribute)); }
};

/// All elements in order. Anything that is not well-formed XML fails the test.
inline std::vector<SvgElement> svg_elements(const std::string& svg) {
  struct State {
    std::vector<SvgElement> all;
    std::vector<std::size_t> open;
  } state;
  XML_Parser parser = XML_ParserCreate("UTF-8");
  XML_SetUserData(parser, &state);
  XML_SetElementHandler(
      parser,
      [](void* user, const char* name, const char** attributes) {
        State& s = *static_cast<State*>(user);
        SvgElement element{.name = name, .group = {}};
        if (!s.open.empty()) {
          const auto& around = s.all[s.open.back()].attributes;
          if (const auto found = around.find("class"); found != around.end())
            element.group = found->second;
        }
        for (; *attributes; attributes += 2) element.attributes[attributes[0]] = attributes[1];
        s.open.push_back(s.all.size());
        s.all.push_back(std::move(element));
      },
      [](void* user, const char*) { static_cast<State*>(user)->open.pop_back(); });
  XML_SetCharacterDataHandler(parser, [](void* user, const char* text, int size) {
    State& s = *static_cast<State*>(user);
    s.all[s.open.back()].text.append(text, static_cast<std::size_t>(size));
  });
  EXPECT_EQ(XML_Parse(parser, svg.data(), static_cast<int>(svg.size()), 1), XML_STATUS_OK)
      << XML_ErrorString(XML_GetErrorCode(parser)) << " in line "
      << XML_GetCurrentLineNumber(parser);
  XML_ParserFree(parser);
  return state.all;
}

/// The elements of a name in a group, "" for any: ("text", "count").
inline std::vector<SvgElement> chosen(const std::vector<SvgElement>& all, std::string_view name,
                                      std::string_view group = "") {
  std::vector<SvgElement> some;
  for (const SvgElement& e : all)
    if (e.name == name && (group.empty() || e.group == group)) some.push_back(e);
  return some;
}

/// The texts with this content.
inline std::vector<SvgElement> texts_saying(const std::vector<SvgElement>& all,
                                            std::string_view text) {
  std::vector<SvgElement> some = chosen(all, "text");
  std::erase_if(some, [&](const SvgElement& e) { return e.text != text; });
  return some;
}

}  // namespace unroll::test
