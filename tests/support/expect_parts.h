// What a text has to say, whatever else it says.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace unroll::test {

/// Expects every part somewhere in the text.
inline void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

}  // namespace unroll::test
