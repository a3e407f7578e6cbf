// The page is one HTML text, and no text of a user becomes part of its code.
#include "report/page.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "support/program.h"
#include "support/report_data.h"

namespace unroll::report {
namespace {

using Json = nlohmann::ordered_json;

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

const std::string kSources = UNROLL_SOURCE_DIR "/src/report/page";

std::string page_template() { return test::content_of(kSources + "/page.html"); }

const std::string kHostile =
    "</script><script>alert(1)</script><!--<img src=x "
    "onerror=alert(1)>&quot;\xe2\x80\xa8\xe2\x80\xa9'\"";

TEST(ReportPage, DataIsTheSameAfterReadingAndHasNoHtml) {
  const Json data = {{"name", kHostile}, {kHostile, {1, 2.5, nullptr, true}}};
  const std::string text = script_json(data);
  EXPECT_EQ(Json::parse(text), data);
  for (const char c : text) {
    EXPECT_GE(c, ' ');
    EXPECT_LE(c, '~');
    EXPECT_EQ(std::string_view("<>&").find(c), std::string_view::npos) << text;
  }
}

TEST(ReportPage, BytesThatAreNotUtf8AreReplaced) {
  EXPECT_EQ(Json::parse(script_json({{"name", "a\xff\xfe"}})).at("name"),
            "a\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(ReportPage, AHostileNameStaysText) {
  const Json data = {{"version", 1}, {"runs", Json::array({{{"name", kHostile}}})}};
  const std::string html = page(data, kHostile, "<svg></svg>");
  EXPECT_EQ(html.find("alert(1)</script>"), html.npos);
  EXPECT_EQ(html.find("<img src=x"), html.npos);
  // As many as the template has.
  EXPECT_EQ(count_of(html, "</script"), count_of(page_template(), "</script"));
  EXPECT_EQ(count_of(html, "<title>"), 1u);
  EXPECT_NE(html.find("<title>&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;"), html.npos);
  EXPECT_EQ(test::data_of_page(html), nlohmann::json::parse(data.dump()));
}

TEST(ReportPage, WhatIsPutInIsNotSearchedForMarkers) {
  const Json data = {{"name", "/*STYLE*/ /*SCRIPTS*/ /*DATA*/ <!--UNROLLED-->"}};
  const std::string html = page(data, "/*DATA*/", "<svg><!--TITLE--></svg>");
  EXPECT_EQ(test::data_of_page(html), nlohmann::json::parse(data.dump()));
  EXPECT_NE(html.find("<title>/*DATA*/</title>"), html.npos);
  EXPECT_NE(html.find("<svg><!--TITLE--></svg>"), html.npos);
}

TEST(ReportPage, EveryMarkerOfTheTemplateIsReplaced) {
  const std::string html = page(Json::object(), "name", "<svg></svg>");
  for (const char* marker : {"/*STYLE*/", "/*CHART*/", "/*NETWORK*/", "/*SCRIPTS*/", "/*DATA*/",
                             "<!--TITLE-->", "<!--UNROLLED-->"}) {
    EXPECT_EQ(count_of(page_template(), marker), 1u) << marker;
    EXPECT_EQ(html.find(marker), html.npos) << marker;
  }
}

TEST(ReportPage, HasEveryScriptAndStyleOfItsFolder) {
  const std::string html = page(Json::object(), "name", "");
  const auto expect_in = [&](const std::string& path) {
    const std::string part = test::content_of(path);
    EXPECT_NE(html.find(part), html.npos) << path;
    EXPECT_EQ(part.find("</script"), part.npos) << path;
    EXPECT_EQ(part.find("<!--"), part.npos) << path;  // changes how a browser reads a script
  };
  for (const auto& entry : std::filesystem::directory_iterator(kSources))
    if (entry.path().extension() == ".js" || entry.path().extension() == ".css")
      expect_in(entry.path());
  expect_in(UNROLL_SOURCE_DIR "/src/export/js/network.js");
  EXPECT_NE(html.find("Chart.js v3."), html.npos);
  EXPECT_LT(html.size(), 450'000u);
}

TEST(ReportPage, KnowsAPage) {
  EXPECT_TRUE(is_page(page(Json::object(), std::string(4000, 'x'), "")));
  EXPECT_FALSE(is_page(""));
  EXPECT_FALSE(is_page("<!DOCTYPE html>\n<html><title>Unroll</title></html>"));
}

}  // namespace
}  // namespace unroll::report
