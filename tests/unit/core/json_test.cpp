#include "core/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "support/expect_error.h"

namespace unroll {
namespace {

using namespace std::string_literals;

nlohmann::ordered_json parse(std::string_view text) {
  return parse_json(text, [](std::string_view why) { throw std::runtime_error(std::string(why)); });
}

void expect_refused(std::string_view text, std::string_view why) {
  const std::string error = test::error_of<std::runtime_error>([&] { parse(text); });
  EXPECT_NE(error.find(why), std::string::npos) << error;
}

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

TEST(Fault30, JsonWithinBoundsIsRead) {
  const auto json = parse(R"({"b":[1,{"b":null}],"a":"é","":{"a":true}})");
  EXPECT_EQ(json.dump(), R"({"b":[1,{"b":null}],"a":"é","":{"a":true}})");
  EXPECT_EQ(parse(" 5 "), 5);
  EXPECT_NO_THROW(parse(nested(32)));
}

TEST(Fault30, JsonNestedDeeply) {
  expect_refused(nested(33), "nested deeper than 32");
  expect_refused(nested(100'000), "nested deeper than 32");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  expect_refused(objects, "nested deeper than 32");
}

TEST(Fault30, JsonWithAKeyTwice) {
  expect_refused(R"({"a":1,"b":2,"a":1})", "the key \"a\" appears twice");
  expect_refused(R"([{"a":{"b":1,"\u0062":2}}])", "the key \"b\" appears twice");
  expect_refused(R"({"\n":1,"\n":2})", R"("\n" appears twice)");
}

TEST(Fault30, JsonWithTooManyKeys) {
  const auto object = [](int keys) {
    std::string text = "{";
    for (int i = 0; i < keys; ++i) text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
    return text + "}";
  };
  EXPECT_EQ(parse(object(1024)).size(), 1024u);
  expect_refused(object(1025), "more than 1024 keys");
}

TEST(Fault30, TextThatIsNotJson) {
  for (const char* text : {"", "{", "{}x", "{\"a\":1,}", "nan", "'a'", "{\"a\":\"\xff\"}",
                           "\"\xed\xa0\x80\"", "\"\xc0\xaf\"", "[1]//"})
    expect_refused(text, "not JSON in UTF-8 (byte ");
  expect_refused("{}\0x"s, "byte 3 is NUL");
  expect_refused("[1e999]", "too large");
}

}  // namespace
}  // namespace unroll
