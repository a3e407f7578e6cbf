// unroll completion: what a shell reads to complete the program's command line.
#include <fmt/format.h>

#include <algorithm>

#include "app/verbs.h"

namespace unroll::app {
namespace {

using Verbs = std::vector<VerbEntry>;

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

std::vector<std::string> flags_of(const VerbEntry& verb) {
  std::vector<std::string> names;
  for (const FlagEntry& flag : verb.flags)
    names.insert(names.end(), flag.names.begin(), flag.names.end());
  return names;
}

/// All but the program itself, as patterns of a shell's `case`.
std::string patterns_of(const Verbs& verbs) {
  std::vector<std::string> paths;
  for (const VerbEntry& verb : verbs)
    if (&verb != &verbs.front()) paths.push_back(quoted(verb.path));
  return fmt::format("{}", fmt::join(paths, " | "));
}

// The words so far, as far as they name verbs, say where one is; what follows is another verb, a
// flag, or else a file's name.
void print_bash(const Verbs& verbs) {
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
      patterns_of(verbs));
  for (const VerbEntry& verb : verbs)
    fmt::print("    {}) next={} flags={} ;;\n", quoted(verb.path),
               quoted(fmt::format("{}", fmt::join(verb.verbs, " "))),
               quoted(fmt::format("{}", fmt::join(flags_of(verb), " "))));
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

void print_zsh(const Verbs& verbs) {
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
      patterns_of(verbs));
  for (const VerbEntry& verb : verbs) {
    fmt::print("    ({})\n      next=(", quoted(verb.path));
    for (const std::string& name : verb.verbs) {
      const auto below = std::ranges::find(verbs, verb.path + " " + name, &VerbEntry::path);
      fmt::print(" {}", described(name, below->description));
    }
    fmt::print(")\n      flags=(");
    for (const FlagEntry& flag : verb.flags)
      for (const std::string& name : flag.names)
        fmt::print("\n        {}", described(name, flag.description));
    fmt::print(")\n      ;;\n");
  }
  fmt::print(
      "  esac\n"
      "  if [[ $PREFIX == -* ]]; then\n"
      "    _describe -o flag flags\n"
      "  elif (($#next)); then\n"
      "    _describe verb next\n"
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

/// fish's condition for standing right behind the words of `verb`.
std::string fish_condition(const VerbEntry& verb) {
  std::string condition;
  for (std::size_t space = verb.path.find(' '); space != std::string::npos;) {
    const std::size_t end = verb.path.find(' ', space + 1);
    condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                             verb.path.substr(space + 1, end - space - 1));
    space = end;
  }
  if (verb.verbs.empty()) return condition;
  return fmt::format("{}not __fish_seen_subcommand_from {}",
                     condition.empty() ? "" : condition + "; and ", fmt::join(verb.verbs, " "));
}

void print_fish(const Verbs& verbs) {
  fmt::print("# fish: unroll completion fish | source\n");
  for (const VerbEntry& verb : verbs) {
    const std::string when = "complete -c unroll -n " + fish_quoted(fish_condition(verb));
    for (const std::string& name : verb.verbs) {
      const auto below = std::ranges::find(verbs, verb.path + " " + name, &VerbEntry::path);
      fmt::print("{} -f -a {} -d {}\n", when, name, fish_quoted(below->description));
    }
    for (const FlagEntry& flag : verb.flags) {
      std::string names;
      for (const std::string& name : flag.names)
        names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      fmt::print("{}{}{} -d {}\n", when, names, flag.value.empty() ? "" : " -r",
                 fish_quoted(flag.description));
    }
  }
}

}  // namespace

void add_completion(Verb& program) {
  Verb verb = program.add("completion", "Print the completions of this command line for a shell",
                          "source <(unroll completion bash)");
  const auto shell = std::make_shared<std::string>();
  verb.option("shell", *shell, "bash, zsh or fish").required();
  verb.set_work([program, shell] {
    const Verbs verbs = program.list();
    if (*shell == "bash")
      print_bash(verbs);
    else if (*shell == "zsh")
      print_zsh(verbs);
    else if (*shell == "fish")
      print_fish(verbs);
    else
      throw UsageError(fmt::format(
          "completion for {}, which is not known; there are bash, zsh and fish", *shell));
    return kOk;
  });
}

}  // namespace unroll::app
