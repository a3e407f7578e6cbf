// The table of a description: JSON, and checks.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/expect_error.h"
#include "support/program.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::spec {
namespace {

using Json = nlohmann::json;
using test::error_of;

std::string text_of_watch() {
  return test::content_of(UNROLL_SOURCE_DIR "/tests/unit/spec/descriptions/format_5_table.json");
}

TEST(Table, IsReadAndWrittenAsItWas) {
  const ModelSpec spec = from_json(text_of_watch());
  ASSERT_TRUE(spec.table.has_value());
  EXPECT_EQ(spec.table->columns,
            (std::vector<ColumnSpec>{{"x", {}, true, 3.5}, {"side", {"left", "right"}, false, 0}}));
  EXPECT_EQ(spec.table->target, std::vector<std::string>{"exercise"});
  EXPECT_EQ(spec.table->group, "subject");
  EXPECT_TRUE(spec.table->fills);
  EXPECT_EQ(spec.table->stride, 50);
  EXPECT_EQ(to_json(spec) + "\n", text_of_watch());
}

TEST(Table, TheFormOfTheFileIsKept) {
  ModelSpec spec = from_json(text_of_watch());
  spec.table->decimal = ',';
  spec.table->header = false;
  spec.table->ignore = {"id"};
  EXPECT_EQ(from_json(to_json(spec)).table, spec.table);
  Json json = Json::parse(to_json(spec));
  json["table"]["decimal"] = ";";
  EXPECT_NE(error_of<FormatError>([&] { from_json(json.dump()); }).find("'decimal'"),
            std::string::npos);
}

TEST(Table, OlderProgramsReadModelsWithoutOne) {
  ModelSpec spec = from_json(text_of_watch());
  spec.table.reset();
  EXPECT_EQ(Json::parse(to_json(spec)).at("version"), 4);
  Json json = Json::parse(text_of_watch());
  json["version"] = 4;
  EXPECT_NE(error_of<FormatError>([&] { from_json(json.dump()); }).find("'table' is not known"),
            std::string::npos);
}

TEST(Table, DamageIsRefused) {
  const Json whole = Json::parse(text_of_watch());
  const auto refusal = [&](auto&& how) {
    Json json = whole;
    how(json.at("table"));
    return error_of<FormatError>([&] { from_json(json.dump()); });
  };
  for (const auto& member : whole.at("table").items())
    EXPECT_NE(
        refusal([&](Json& t) { t.erase(member.key()); }).find("'" + member.key() + "' is missing"),
        std::string::npos);
  EXPECT_EQ(refusal([](Json& t) { t["columns"].erase(0); }),
            "[model] the table: its columns make 2 features, but the input has 4");
  EXPECT_EQ(refusal([](Json& t) { t["words"] = "word"; }),
            "[model] the table: it needs a series as input, or tokens and a column of words");
  EXPECT_EQ(refusal([](Json& t) { t["columns"][0]["fill"] = 1e300; }),
            "[model] the table: column x is filled with 1e+300, expected a finite number");
  // A window that does not move would never end.
  EXPECT_NE(refusal([](Json& t) { t["stride"] = 0; }).find("the table: stride is 0, expected 1 to"),
            std::string::npos);
}

TEST(Table, OfWords) {
  ModelSpec spec{.input = TokenInput{.tokens = 2, .vocabulary = {"<unk>", "a"}},
                 .layers = {EmbeddingSpec{"embedding", 2, 3},
                            RecurrentSpec{.name = "rnn", .input_size = 3, .hidden_size = 2},
                            LinearSpec{"fc", 2, 2}},
                 .table = TableSpec{.words = "word", .target = {"tag"}}};
  EXPECT_EQ(from_json(to_json(spec)), spec);
  spec.table->words.clear();
  EXPECT_EQ(error_of<FormatError>([&] { features_of(spec); }),
            "[model] the table: the input is tokens, expected a column of words and no others");
}

}  // namespace
}  // namespace unroll::spec
