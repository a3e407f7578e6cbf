#include "core/printable.h"

#include <gtest/gtest.h>

#include "unroll/core/error.h"

namespace unroll {
namespace {

using namespace std::string_literals;

TEST(Printable, LeavesTextAsItIs) {
  for (const char* text : {"", "rnn.weight_ih_l0", "a b/c \"d\" \\x1b", "é ü 畳 𝄞", "\xc2\xa0"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, SpellsOutWhatATerminalActsOn) {
  EXPECT_EQ(printable("a\nb\r\tc\0d"s), R"(a\nb\r\tc\x00d)");
  EXPECT_EQ(printable("\x1b[31mred\x1b[0m\x7f"), R"(\x1b[31mred\x1b[0m\x7f)");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            R"(\u009b31m)");  // CSI in one character
  EXPECT_EQ(printable("\xe2\x80\xae"
                      "txt.exe"),
            R"(\u202etxt.exe)");                                        // right to left
  EXPECT_EQ(printable("\xe2\x80\xa8\xe2\x81\xa6"), R"(\u2028\u2066)");  // a line's end
}

// The table of ill-formed sequences in the Unicode Standard, section 3.9.
TEST(Printable, SpellsOutWhatIsNotUtf8) {
  EXPECT_EQ(printable("\xff"), R"(\xff)");
  EXPECT_EQ(printable("caf\xe9!"), R"(caf\xe9!)");
  EXPECT_EQ(printable("\xc0\xaf"), R"(\xc0\xaf)");
  EXPECT_EQ(printable("\xe0\x80\xaf"), R"(\xe0\x80\xaf)");
  EXPECT_EQ(printable("\xed\xa0\x80"), R"(\xed\xa0\x80)");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), R"(\xf4\x90\x80\x80)");
  EXPECT_EQ(printable("\xe2\x80"), R"(\xe2\x80)");
  EXPECT_EQ(printable("\xe2\x80"
                      "a"),
            R"(\xe2\x80a)");
  EXPECT_FALSE(is_utf8("a\xff"));
  EXPECT_TRUE(is_utf8("a\x1b\xe2\x80\xae"));
}

TEST(Printable, NamesInQuotesStayShort) {
  EXPECT_EQ(in_quotes("a\nb"), R"("a\nb")");
  EXPECT_EQ(in_quotes(std::string(100, 'x')), '"' + std::string(100, 'x') + '"');
  EXPECT_EQ(in_quotes(std::string(99, 'x') + "éyyy"), '"' + std::string(99, 'x') + "...\"");
}

TEST(Printable, ErrorsAreOneLine) {
  EXPECT_STREQ(Error("op", "a\n\x1b[31m").what(), R"([op] a\n\x1b[31m)");
}

}  // namespace
}  // namespace unroll
