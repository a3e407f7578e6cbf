// Tokens as a model reads them: whole numbers among other numbers.
#pragma once

#include <cstddef>
#include <cstdio>
#include <span>
#include <string_view>

namespace unroll::infer {

/// The token that a number is, from 0 to tokens - 1; `tokens` where it is none.
template <class T>
std::size_t token_of(T number, std::size_t tokens) noexcept {
  if (!(number >= 0 && number < static_cast<T>(tokens))) return tokens;  // also for NaN
  const auto token = static_cast<std::size_t>(number);
  return static_cast<T>(token) == number ? token : tokens;
}

/// Empty where all numbers, `first` and following of the inputs, are tokens; otherwise what is
/// wrong with the first that is none, in `text`, which 200 bytes are enough for. It asks for no
/// memory.
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
