// unroll help: the help of the program or a command.
#include <fmt/format.h>

#include <memory>

#include "app/commands.h"
#include "app/help.h"
#include "app/other_words.h"

namespace unroll::app {
namespace {

/// The command that the words name.
const CommandEntry& find_named(const CommandEntry& program, const std::vector<std::string>& words) {
  const CommandEntry* command = &program;
  for (const std::string& word : words) {
    const CommandEntry* below = find_command(*command, word);
    if (!below)
      throw UsageError(fmt::format("the command {} is not known{} (see: {} --help)", word,
                                   suggestion(word, names_of(command->commands)), command->path));
    command = below;
  }
  return *command;
}

}  // namespace

void add_help(Command& program) {
  Command command =
      program.add("help", "Show this help, or the help of a command", "unroll help data fetch");
  const auto words = std::make_shared<std::vector<std::string>>();
  command.option("command", *words, "The command. Default: the program")
      .repeatable("COMMAND")  // data fetch
      .offers(names_of(program.entry().commands));
  command.set_work([program, words] {
    fmt::print("{}", help_text(find_named(program.entry(), *words)));
    return kOk;
  });
}

}  // namespace unroll::app
