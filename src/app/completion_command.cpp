// unroll completion: what a shell reads to complete the program's command line.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "app/commands.h"
#include "app/completion.h"

namespace unroll::app {
namespace {

struct Shell {
  std::string_view name;
  void (*print)(const CommandEntry& program);
};

constexpr Shell kShells[] = {{"bash", print_bash_completion},
                             {"zsh", print_zsh_completion},
                             {"fish", print_fish_completion}};

}  // namespace

void add_completion(Command& program) {
  Command command = program.add("completion", "Print the completion script of a shell",
                                "source <(unroll completion bash)");
  const auto shell = std::make_shared<std::string>();
  std::vector<std::string_view> names;
  for (const Shell& known : kShells) names.push_back(known.name);
  command.option("shell", *shell, fmt::format("One of {}", fmt::join(names, ", ")))
      .required()
      .choices(names);
  command.set_work([program, shell] {
    std::ranges::find(kShells, *shell, &Shell::name)->print(program.entry());
    return kOk;
  });
}

}  // namespace unroll::app
