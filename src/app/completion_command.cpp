// unroll completion: what a shell reads to complete the program's command line.
#include <fmt/format.h>

#include <algorithm>

#include "app/commands.h"

namespace unroll::app {
namespace {

using Commands = std::vector<CommandEntry>;

/// In single quotes, as bash and zsh read them.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

/// fish has escapes inside of single quotes.
std::string fish_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += (c == '\'' || c == '\\' ? "\\" : "") + std::string(1, c);
  return result + "'";
}

std::vector<std::string> flags_of(const CommandEntry& command) {
  std::vector<std::string> names;
  for (const FlagEntry& flag : command.flags)
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

/// All but the program itself, as patterns of a shell's `case`.
std::string patterns_of(const Commands& commands) {
  std::vector<std::string> paths;
  for (const CommandEntry& command : commands)
    if (&command != &commands.front()) paths.push_back(quoted(command.path));
  return fmt::format("{}", fmt::join(paths, " | "));
}

// The words so far, as far as they name commands, say where one is; what follows is another
// command, a flag, or else a file's name.
void print_bash(const Commands& commands) {
  fmt::print(
      "# bash: source <(unroll completion bash)\n"
      "_unroll() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} at=unroll next= flags= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$at ${{COMP_WORDS[i]}}\" in\n"
      "      {}) at+=\" ${{COMP_WORDS[i]}}\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case $at in\n",
      patterns_of(commands));
  for (const CommandEntry& command : commands)
    fmt::print("    {}) next={} flags={} ;;\n", quoted(command.path),
               quoted(fmt::format("{}", fmt::join(command.commands, " "))),
               quoted(fmt::format("{}", fmt::join(flags_of(command), " "))));
  fmt::print(
      "  esac\n"
      "  if [[ $current == -* ]]; then next=$flags; fi\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$next\" -- \"$current\")\n"
      "}}\n"
      "complete -o default -F _unroll unroll\n");
}

/// NAME:DESCRIPTION, as zsh's _describe takes it.
std::string described(const std::string& name, const std::string& description) {
  return quoted(name + ":" + description);
}

void print_zsh(const Commands& commands) {
  fmt::print(
      "#compdef unroll\n"
      "# zsh: source <(unroll completion zsh)\n"
      "_unroll() {{\n"
      "  local at=unroll word\n"
      "  local -a next flags\n"
      "  for word in ${{words[2,CURRENT-1]}}; do\n"
      "    case \"$at $word\" in\n"
      "      ({}) at+=\" $word\" ;;\n"
      "    esac\n"
      "  done\n"
      "  case $at in\n",
      patterns_of(commands));
  for (const CommandEntry& command : commands) {
    fmt::print("    ({})\n      next=(", quoted(command.path));
    for (const std::string& name : command.commands) {
      const auto below =
          std::ranges::find(commands, command.path + " " + name, &CommandEntry::path);
      fmt::print(" {}", described(name, below->description));
    }
    fmt::print(")\n      flags=(");
    for (const FlagEntry& flag : command.flags)
      for (const std::string& name : flag.names)
        fmt::print("\n        {}", described(name, flag.description));
    fmt::print(")\n      ;;\n");
  }
  fmt::print(
      "  esac\n"
      "  if [[ $PREFIX == -* ]]; then\n"
      "    _describe -o flag flags\n"
      "  elif (($#next)); then\n"
      "    _describe command next\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}}\n"
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
      "  _unroll \"$@\"\n"
      "else\n"
      "  compdef _unroll unroll\n"
      "fi\n");
}

/// fish's condition for standing right behind the words of `command`.
std::string fish_condition(const CommandEntry& command) {
  std::string condition;
  for (std::size_t space = command.path.find(' '); space != std::string::npos;) {
    const std::size_t end = command.path.find(' ', space + 1);
    condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                             command.path.substr(space + 1, end - space - 1));
    space = end;
  }
  if (command.commands.empty()) return condition;
  return fmt::format("{}not __fish_seen_subcommand_from {}",
                     condition.empty() ? "" : condition + "; and ",
                     fmt::join(command.commands, " "));
}

void print_fish(const Commands& commands) {
  fmt::print("# fish: unroll completion fish | source\n");
  for (const CommandEntry& command : commands) {
    const std::string when = "complete -c unroll -n " + fish_quoted(fish_condition(command));
    for (const std::string& name : command.commands) {
      const auto below =
          std::ranges::find(commands, command.path + " " + name, &CommandEntry::path);
      fmt::print("{} -f -a {} -d {}\n", when, name, fish_quoted(below->description));
    }
    for (const FlagEntry& flag : command.flags) {
      std::string names;
      for (const std::string& name : flag.names)
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      fmt::print("{}{}{} -d {}\n", when, names, flag.value.empty() ? "" : " -r",
                 fish_quoted(flag.description));
    }
  }
}

}  // namespace

void add_completion(Command& program) {
  Command command =
      program.add("completion", "Print the completions of this command line for a shell",
                  "source <(unroll completion bash)");
  const auto shell = std::make_shared<std::string>();
  command.option("shell", *shell, "bash, zsh or fish").required();
  command.set_work([program, shell] {
    const Commands commands = program.list();
    if (*shell == "bash")
      print_bash(commands);
    else if (*shell == "zsh")
      print_zsh(commands);
    else if (*shell == "fish")
      print_fish(commands);
    else
      throw UsageError(fmt::format(
          "completion for {}, which is not known; there are bash, zsh and fish", *shell));
    return kOk;
  });
}

}  // namespace unroll::app
