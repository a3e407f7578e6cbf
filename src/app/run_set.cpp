#include "app/run_set.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <set>
#include <string_view>

#include "app/usage_error.h"
#include "core/suggest.h"
#include "run/run_name.h"

namespace unroll::app {
namespace {

using train::Config;
using train::Setting;

constexpr std::size_t kMostRuns = 10'000;

std::vector<std::string> between_commas(std::string_view text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

bool parse_seed(std::string_view text, std::uint64_t& seed) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  return error == std::errc() && end == text.data() + text.size();
}

/// The seeds of "0-4" or "0,3,5".
std::vector<std::uint64_t> seeds_of(const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format("--seeds {}{}, expected seeds as in 0-4 or 0,3,5", text, why));
  };
  std::vector<std::uint64_t> seeds;
  for (const std::string& part : between_commas(text)) {
    const std::size_t dash = part.find('-');
    std::uint64_t first = 0, last = 0;
    if (!parse_seed(std::string_view(part).substr(0, dash), first)) refuse("");
    last = first;
    if (dash != std::string::npos &&
        (!parse_seed(std::string_view(part).substr(dash + 1), last) || last < first))
      refuse("");
    if (last - first >= kMostRuns) refuse(fmt::format(" are more than {}", kMostRuns));
    for (std::uint64_t seed = first;; ++seed) {
      if (std::ranges::find(seeds, seed) != seeds.end()) refuse(fmt::format(" has {} twice", seed));
      seeds.push_back(seed);
      if (seed == last) break;
    }
  }
  return seeds;
}

/// The values of one setting.
struct Swept {
  const Setting* setting;
  std::vector<std::string> texts;
};

/// Settings that decide what the results mean, that have a flag of their own, or change nothing.
/// The losses on one validation part are compared, so it must stay the same part and the same loss.
bool can_be_swept(const Setting& setting) {
  constexpr std::string_view kOthers[] = {"dataset", "length",      "seed",      "rng",
                                          "loss",    "leave_test",  "save_at",   "normalize",
                                          "refit",   "tensorboard", "eval_every"};
  constexpr std::string_view kOfSeries[] = {"log", "vocabulary"};
  if (setting.group == train::Group::series)
    return std::ranges::find(kOfSeries, setting.key) != std::end(kOfSeries);
  return !setting.changes_no_bit() &&
         std::ranges::find(kOthers, setting.key) == std::end(kOthers) &&
         !std::holds_alternative<std::vector<std::string> Config::*>(setting.member);
}

/// "lr=0.001,0.003"
Swept swept_by(const std::string& word) {
  const std::size_t sign = word.find('=');
  if (sign == std::string::npos || sign == 0 || sign + 1 == word.size())
    throw UsageError(
        fmt::format("--sweep {}, expected NAME=VALUE,VALUE as in lr=0.001,0.003; other arguments "
                    "come before --sweep",
                    word));
  const std::string name = word.substr(0, sign);
  std::vector<std::string> names;
  for (const Setting& setting : train::settings()) {
    if (!can_be_swept(setting)) continue;
    names.push_back(setting.name());
    if (name != setting.name() && name != setting.key) continue;
    const std::vector<std::string> texts = between_commas(std::string_view(word).substr(sign + 1));
    if (std::ranges::find(texts, "") != texts.end())
      throw UsageError(fmt::format("--sweep {} has an empty value; leave one comma out", word));
    return {&setting, texts};
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  throw UsageError(fmt::format("--sweep {}: {} is no setting that can be swept{}", word, name,
                               did_you_mean(name, known)));
}

/// Every choice of one value for each swept setting; the first one changes last.
std::vector<SetRun> choices_of(const std::vector<Swept>& all) {
  std::vector<SetRun> choices(1);
  for (const Swept& swept : all) {
    std::vector<SetRun> more;
    for (const SetRun& choice : choices)
      for (const std::string& text : swept.texts) {
        Config config;
        swept.setting->parse(config, text);
        SetRun& run = more.emplace_back(choice);
        run.changes.emplace_back(swept.setting->key, text);
        run.settings[std::string(swept.setting->key)] = swept.setting->json(config);
        run.name += (run.name.empty() ? "" : "-") +
                    run::safe_name(run::setting_word(*swept.setting, config));
        if (more.size() > kMostRuns)
          throw UsageError(
              fmt::format("--sweep has more than {} choices; leave values out", kMostRuns));
      }
    choices = std::move(more);
  }
  for (std::size_t i = 0; i < choices.size(); ++i) choices[i].choice = i;
  return choices;
}

/// Each run with each value of a setting, the runs' order first.
template <class T>
std::vector<SetRun> with_each(const std::vector<SetRun>& runs, std::string_view key,
                              const std::vector<T>& values) {
  std::vector<SetRun> all;
  for (const SetRun& before : runs)
    for (const T value : values) {
      SetRun& run = all.emplace_back(before);
      run.changes.emplace_back(key, fmt::to_string(value));
      run.settings[std::string(key)] = value;
      run.name += fmt::format("{}{}{}", run.name.empty() ? "" : "-", key, value);
      if (key == "fold") run.fold = static_cast<std::int64_t>(value);
      if (all.size() > kMostRuns)
        throw UsageError(fmt::format("these are more than {} runs; ask for fewer", kMostRuns));
    }
  return all;
}

}  // namespace

void SetFlags::add_to(Command& command) {
  const std::string heading(name_of(train::Group::run));
  command
      .option("--seeds", seeds,
              "Make a run for each seed, as in 0-4 or 0,3,5, and a summary. Default none")
      .value("N-N")
      .group(heading);
  command
      .option("--sweep", sweep,
              "Make a run for each choice of values, as in lr=0.001,0.003 hidden=32,64. The "
              "validation part chooses the best one. Default none")
      .value("NAME=VALUE,...")
      .values(1, 16)
      .group(heading);
}

bool SetFlags::ask_for_runs(const TrainFlags& train) const {
  return !seeds.empty() || !sweep.empty() || (train.is_given("folds") && !train.is_given("fold"));
}

std::vector<SetRun> SetFlags::runs(const TrainFlags& train) const {
  if (!seeds.empty() && train.is_given("seed"))
    throw UsageError("--seeds and --seed both choose seeds; give one of them");
  std::vector<Swept> swept;
  for (const std::string& word : sweep) {
    swept.push_back(swept_by(word));
    const Setting& setting = *swept.back().setting;
    if (train.is_given(setting.key) || std::ranges::count(swept, &setting, &Swept::setting) > 1)
      throw UsageError(
          fmt::format("--sweep {}: {} has a value already; give it once", word, setting.name()));
  }
  std::vector<SetRun> all = choices_of(swept);
  if (const std::int64_t folds = train.resolve().config.folds;
      folds > 0 && !train.is_given("fold") && train.is_given("folds")) {
    std::vector<std::int64_t> each(static_cast<std::size_t>(folds));
    for (std::size_t i = 0; i < each.size(); ++i) each[i] = static_cast<std::int64_t>(i);
    all = with_each(all, "fold", each);
  }
  if (!seeds.empty()) all = with_each(all, "seed", seeds_of(seeds));
  std::set<std::string> names;
  for (SetRun& run : all) {
    if (!names.insert(run.name).second)
      throw UsageError(fmt::format("--sweep asks twice for {}; give each value once", run.name));
    if (has_sweep()) run.changes.emplace_back("leave_test", "on");
    train.resolve(run.changes);  // throws before the first run starts
  }
  return all;
}

std::string SetFlags::name(const train::Config& config, const std::string& dataset) const {
  std::string name = run::run_name(config, dataset);
  if (!seeds.empty()) {
    name.resize(name.rfind("-seed"));
    constexpr std::size_t kLongest = 60;
    const std::size_t count = seeds_of(seeds).size();
    name += seeds.size() <= kLongest ? "-seeds" + seeds : fmt::format("-{}-seeds", count);
  }
  std::string keys;
  for (const std::string& word : sweep) keys += "-" + word.substr(0, word.find('='));
  constexpr std::size_t kLongest = 60;
  if (!keys.empty()) name += "-sweep" + keys.substr(0, kLongest);
  return run::safe_name(name);
}

}  // namespace unroll::app
