// Compared with what a shell makes of it.
#include "core/shell_word.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "core/printable.h"
#include "support/program.h"

namespace unroll {
namespace {

/// What a shell's printf makes of a word that was written in a script.
std::string read_back(const std::string& shell, const std::string& word) {
  const test::TemporaryFolder folder;
  const std::string script = folder.write("script", "printf %s " + word + "\n");
  FILE* const pipe = popen((shell + " " + script).c_str(), "r");
  std::string text;
  for (int c; (c = std::fgetc(pipe)) != EOF;) text += static_cast<char>(c);
  EXPECT_EQ(pclose(pipe), 0);
  return text;
}

TEST(ShellWord, IsReadBackByAShell) {
  for (const std::string text :
       {"runs/mnist-rnn_1.5", "my run", "it's", "$HOME", "a;b", "a\\b", "*", "~", "", "größe"})
    EXPECT_EQ(read_back("sh", shell_word(text)), text) << shell_word(text);
  EXPECT_EQ(shell_word("runs/mnist-rnn_1.5"), "runs/mnist-rnn_1.5");
}

TEST(ShellWord, WhatATerminalActsOnIsSpeltOut) {
  if (std::system("command -v bash >/dev/null 2>&1") != 0) GTEST_SKIP() << "no bash";
  for (const std::string text : {"es\x1b[31m", "it's\n\\n", "\xff", "a\tb"}) {
    EXPECT_EQ(shell_word(text), printable(shell_word(text)));
    EXPECT_EQ(read_back("bash", shell_word(text)), text) << shell_word(text);
  }
}

}  // namespace
}  // namespace unroll
