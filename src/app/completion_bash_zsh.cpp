// Completion for bash and zsh. Both scripts walk over the words before the cursor: they find the
// command (`at`), the flag whose value is being typed (`flag`), and count the arguments (`number`).
#include <fmt/format.h>

#include <set>

#include "app/completion.h"

namespace unroll::app {
namespace {

/// In single quotes, as bash and zsh read them.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? "'\\''" : std::string(1, c);
  return result + "'";
}

/// Patterns of a shell's `case`.
std::string patterns(const std::vector<std::string>& texts) {
  std::vector<std::string> all;
  for (const std::string& text : texts) all.push_back(quoted(text));
  return fmt::format("{}", fmt::join(all, " | "));
}

std::vector<std::string> paths_of_commands(const CommandEntry& program) {
  std::vector<std::string> paths;
  for (const CommandEntry* command : all_commands(program))
    if (command != &program) paths.push_back(command->path);
  return paths;
}

/// "unroll train --lr" for each flag that takes values; those that take at least `fewest`.
std::vector<std::string> flags_with_values(const CommandEntry& program, std::size_t fewest) {
  std::vector<std::string> flags;
  for (const CommandEntry* command : all_commands(program))
    for (const OptionEntry& flag : command->flags)
      if (flag.takes_value() && flag.fewest == fewest)
        for (const std::string& name : flag.names) flags.push_back(command->path + " " + name);
  return flags;
}

/// The branches of the walk that step over values. `step` is the shell's way to do it once.
std::string branches_of_values(const CommandEntry& program, const std::string& start,
                               const std::string& step) {
  std::set<std::size_t> counts;
  for (const CommandEntry* command : all_commands(program))
    for (const OptionEntry& flag : command->flags)
      if (flag.takes_value() && flag.fewest > 0) counts.insert(flag.fewest);
  std::string branches;
  for (const std::size_t fewest : counts) {
    branches +=
        fmt::format("      {})\n        {}\n", patterns(flags_with_values(program, fewest)), start);
    for (std::size_t i = 0; i < fewest; ++i) branches += "        " + step + "\n";
    branches += "        ;;\n";
  }
  return branches;
}

/// A value with something to offer: what stands in front of it, and the option.
struct Place {
  std::string at;  // "unroll train --lr", or "unroll eval 1" for the second argument
  const OptionEntry& option;
};

std::vector<Place> places_with_offers(const CommandEntry& program) {
  std::vector<Place> places;
  const auto add = [&](const std::string& at, const OptionEntry& option) {
    if (!option.choices.empty() || option.paths != Paths::none) places.push_back({at, option});
  };
  for (const CommandEntry* command : all_commands(program)) {
    for (const OptionEntry& flag : command->flags)
      for (const std::string& name : flag.names) add(command->path + " " + name, flag);
    std::size_t number = 0;
    for (const OptionEntry& argument : command->arguments)
      for (std::size_t i = 0; i < argument.most; ++i)
        add(fmt::format("{} {}", command->path, number++), argument);
  }
  return places;
}

/// NAME:DESCRIPTION, as zsh's _describe takes it.
std::string described(const std::string& name, const std::string& description) {
  return quoted(name + ":" + description);
}

}  // namespace

void print_bash_completion(const CommandEntry& program) {
  // bash splits --flag=value into three words.
  fmt::print(
      "# bash: source <(unroll completion bash)\n"
      "_unroll() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} at=unroll flag= number=0 offers= paths= i\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    case \"$at ${{COMP_WORDS[i]}}\" in\n"
      "      {}) at+=\" ${{COMP_WORDS[i]}}\" ;;\n"
      "{}"
      "      \"$at -\"*) ;;\n"
      "      *) ((++number)) ;;\n"
      "    esac\n"
      "  done\n"
      "  if ((i > COMP_CWORD)); then\n"
      "    [[ $current != = ]] || current=\n"
      "    at+=\" $flag\"\n"
      "  elif [[ $current == -* ]]; then\n"
      "    at+=' -'\n"
      "  else\n"
      "    at+=\" $number\"\n"
      "  fi\n"
      "  case $at in\n",
      patterns(paths_of_commands(program)),
      branches_of_values(program,
                         "flag=${COMP_WORDS[i]}\n"
                         "        [[ ${COMP_WORDS[i + 1]} != = ]] || ((++i))",
                         "((++i))"));
  for (const CommandEntry* command : all_commands(program)) {
    std::vector<std::string> names;
    for (const OptionEntry& flag : command->flags)
      names.insert(names.end(), flag.names.begin(), flag.names.end());
    fmt::print("    {}) offers={} ;;\n", quoted(command->path + " -"),
               quoted(fmt::format("{}", fmt::join(names, " "))));
    if (!command->commands.empty())
      fmt::print("    {}) offers={} ;;\n", quoted(command->path + " 0"),
                 quoted(fmt::format("{}", fmt::join(names_of(command->commands), " "))));
  }
  for (const auto& [at, option] : places_with_offers(program)) {
    fmt::print("    {})", quoted(at));
    if (!option.choices.empty())
      fmt::print(" offers={}", quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    if (option.paths != Paths::none)
      fmt::print(" paths={}", option.paths == Paths::files ? "-f" : "-d");
    fmt::print(" ;;\n");
  }
  fmt::print(
      "  esac\n"
      "  mapfile -t COMPREPLY < <(compgen -W \"$offers\" $paths -- \"$current\")\n"
      "  [[ -z $paths ]] || compopt -o filenames 2> /dev/null\n"
      "}}\n"
      "complete -F _unroll unroll\n");
}

void print_zsh_completion(const CommandEntry& program) {
  fmt::print(
      "#compdef unroll\n"
      "# zsh: source <(unroll completion zsh)\n"
      "_unroll() {{\n"
      "  local at=unroll flag= number=0 paths= i\n"
      "  local -a next flags offers\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n"
      "    case \"$at ${{words[i]}}\" in\n"
      "      ({}) at+=\" ${{words[i]}}\" ;;\n"
      "{}"
      "      (\"$at -\"*) ;;\n"
      "      (*) ((++number)) ;;\n"
      "    esac\n"
      "  done\n"
      "  case $at in\n",
      patterns(paths_of_commands(program)),
      branches_of_values(program, "flag=${words[i]}", "((++i))"));
  for (const CommandEntry* command : all_commands(program)) {
    fmt::print("    ({})\n      next=(", quoted(command->path));
    for (const CommandEntry& below : command->commands)
      fmt::print(" {}", described(below.name, below.description));
    fmt::print(")\n      flags=(");
    for (const OptionEntry& flag : command->flags)
      for (const std::string& name : flag.names)
        fmt::print("\n        {}", described(name, flag.help));
    fmt::print(")\n      ;;\n");
  }
  fmt::print(
      "  esac\n"
      "  if ((i > CURRENT)); then\n"
      "    at+=\" $flag\"\n"
      "  elif [[ $PREFIX == --*=* ]]; then\n"
      "    at+=\" ${{PREFIX%%=*}}\"\n"
      "    compset -P '*='\n"
      "  elif [[ $PREFIX == -* ]]; then\n"
      "    _describe -o flag flags\n"
      "    return\n"
      "  elif (($#next)); then\n"
      "    _describe command next\n"
      "    return\n"
      "  else\n"
      "    at+=\" $number\"\n"
      "  fi\n"
      "  case $at in\n");
  for (const auto& [at, option] : places_with_offers(program)) {
    fmt::print("    ({})", quoted(at));
    if (!option.choices.empty()) fmt::print(" offers=({})", fmt::join(option.choices, " "));
    if (option.paths != Paths::none)
      fmt::print(" paths={}", option.paths == Paths::files ? "files" : "folders");
    fmt::print(" ;;\n");
  }
  fmt::print(
      "  esac\n"
      "  (($#offers)) && compadd -a offers\n"
      "  [[ $paths == files ]] && _files\n"
      "  [[ $paths == folders ]] && _files -/\n"
      "}}\n"
      "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
      "  _unroll \"$@\"\n"
      "else\n"
      "  compdef _unroll unroll\n"
      "fi\n");
}

}  // namespace unroll::app
