#include "signature/signature.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/numerics.h"
#include "kernels/table.h"
#include "signature/expected.h"
#include "support/expect_error.h"
#include "unroll/core/error.h"

namespace unroll::signature {
namespace {

std::uint64_t hash_of(std::string_view text) { return fnv1a(std::as_bytes(std::span(text))); }

// The values that its authors publish.
TEST(Fnv1a, KnownValues) {
  EXPECT_EQ(hash_of(""), 0xcbf29ce484222325);
  EXPECT_EQ(hash_of("a"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(hash_of("foobar"), 0x85944171f73967e8);
  const std::string_view rest = "bar";
  EXPECT_EQ(fnv1a(std::as_bytes(std::span(rest)), hash_of("foo")), hash_of("foobar"));
}

TEST(Signature, EveryModelHasOneExpectedHash) {
  EXPECT_EQ(expected_revision, numerics::revision)
      << "the numerics changed: run scripts/expected_signature.sh and build again";
  std::vector<std::string_view> names;
  for (const Expected& e : expected) names.push_back(e.model);
  EXPECT_EQ(names, models());
  EXPECT_EQ(std::set(names.begin(), names.end()).size(), names.size());
}

// Weights that don't move would have the same bits everywhere for nothing.
TEST(Signature, ModelsLearn) {
  for (const std::string_view model : models()) {
    const Result result = train(model);
    EXPECT_LT(result.last_loss, 0.95 * result.first_loss) << model;
    EXPECT_EQ(difference(result), "") << model;
  }
}

TEST(Signature, AnotherBitIsADifference) {
  const Result result{.model = expected[0].model, .hash = 0x123};
  EXPECT_EQ(difference(result), std::string(expected[0].hash) + " expected");
  EXPECT_EQ(difference({.model = "transformer"}), "no hash is expected yet");
}

TEST(Signature, JsonIsOneLineWithAHashEach) {
  const Result results[] = {{.model = "a", .hash = 0xab}, {.model = "b", .hash = ~0ull}};
  const std::string together = "a 00000000000000ab\nb ffffffffffffffff\n";
  EXPECT_EQ(to_json(results), "{\"isa\":\"" + std::string(kernels::instruction_set()) +
                                  "\",\"revision\":" + std::to_string(numerics::revision) +
                                  ",\"hash\":\"" + to_text(hash_of(together)) +
                                  "\",\"models\":{\"a\":\"00000000000000ab\","
                                  "\"b\":\"ffffffffffffffff\"}}");
}

TEST(Signature, UnknownModel) {
  const std::string text = test::error_of<ValueError>([] { train("transformer"); });
  EXPECT_TRUE(
      text.starts_with("[signature] no model is called transformer; the models are rnn_relu, "))
      << text;
}

}  // namespace
}  // namespace unroll::signature
