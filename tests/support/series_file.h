// A small table of series, for runs of the program.
#pragma once

#include <fmt/format.h>

#include <string>

namespace unroll::test {

/// Forty series of 5 to 9 rows, of 8 subjects: columns series, subject, x, side, kind, rate. `kind`
/// (up, down) follows from the slope of x, `rate` is that slope. The bytes are always the same.
inline std::string table_of_series(int first = 0, int count = 40) {
  std::string text = "series,subject,x,side,kind,rate\n";
  for (int k = first; k < first + count; ++k) {
    const bool up = k % 2 == 0;
    const double slope = (up ? 1 : -1) * (0.5 + 0.01 * (k * 7 % 40));
    for (int t = 0; t < 5 + k % 5; ++t)
      text += fmt::format("s{:02},p{},{:.4f},{},{},{:.3f}\n", k, k / 2 % 8,
                          20 + slope * t + 0.2 * ((k * 13 + t * 7) % 5),
                          t % 2 == 0 ? "left" : "right", up ? "up" : "down", slope);
  }
  return text;
}

/// Sequences of words, each with a tag, as in CoNLL files: an empty line ends one.
inline std::string table_of_words(int count = 30) {
  constexpr const char* kWords[] = {"the", "dog", "runs", "a", "cat", "sees"};
  constexpr const char* kTags[] = {"DET", "NOUN", "VERB", "DET", "NOUN", "VERB"};
  std::string text = "word\ttag\n";
  for (int k = 0; k < count; ++k) {
    for (int t = 0; t < 3 + k % 4; ++t) {
      const int w = (k * 5 + t * (k % 3 + 1)) % 6;
      text += fmt::format("{}\t{}\n", kWords[w], kTags[w]);
    }
    text += "\n";
  }
  return text;
}

}  // namespace unroll::test
