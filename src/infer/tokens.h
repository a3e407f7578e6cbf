// Tokens in a model's input: whole numbers, stored as a T.
#pragma once

#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>

namespace unroll::infer {

/// The token of a number, from 0 to tokens - 1; `tokens` if the number is not a token.
template <class T>
std::size_t token_of(T number, std::size_t tokens) noexcept {
  if (!(number >= 0 && number < static_cast<T>(tokens))) return tokens;  // also for NaN
  const auto token = static_cast<std::size_t>(number);
  return static_cast<T>(token) == number ? token : tokens;
}

/// Empty if all numbers are tokens; otherwise the error about the first that is not, written to
/// `text` (200 bytes are enough). `first` is the index of the first number among the inputs.
/// Allocates no memory.
template <class T>
std::string_view wrong_token(std::span<const T> numbers, std::size_t first, std::size_t tokens,
                             std::span<char> text) noexcept {
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (token_of(numbers[i], tokens) == tokens) {
      std::snprintf(text.data(), text.size(),
                    "input %zu is %g, expected a token: a whole number from 0 to %zu", first + i,
                    static_cast<double>(numbers[i]), tokens - 1);
      return text.data();
    }
  return {};
}

}  // namespace unroll::infer
