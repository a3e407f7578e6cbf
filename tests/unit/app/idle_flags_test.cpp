// A flag that would do nothing is refused; a value that nobody typed is not.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/refusal.h"
#include "train/settings.h"

namespace unroll::app {
namespace {

using Arguments = std::vector<std::string>;

struct Example {
  Arguments flag;  ///< as typed
  Arguments idle;  ///< beside these it does nothing
  std::vector<std::string> reason;
  Arguments active;  ///< beside these it does something
};

const std::string kRecurrent = "use rnn, lstm or gru", kDeep = "use fnn, cnn, rnn, lstm or gru",
                  kLstm = "leave it out, or use lstm";

const Example examples[] = {
    {{"--hidden", "5"}, {"--model", "logistic"}, {"--model logistic", kDeep}, {"--model", "fnn"}},
    {{"--layers", "2"}, {"--model", "linear"}, {"--model linear", kDeep}, {"--model", "fnn"}},
    {{"--dropout", "0.5"}, {"--model", "logistic"}, {"--model logistic", kDeep}, {}},
    {{"--activation", "tanh"},
     {"--model", "lstm"},
     {"--model lstm", "use fnn, cnn or rnn"},
     {"--model", "cnn"}},
    {{"--pixels"}, {"--model", "fnn"}, {"--model fnn", kRecurrent}, {}},
    {{"--pixels"}, {"adding"}, {"with adding, which has no pixels; leave it out"}, {"mnist"}},
    {{"--readout", "mean"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--readout", "mean"}, {"copy"}, {"with copy, which has answers"}, {"adding"}},
    {{"--bidirectional"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--layer-norm"}, {"--model", "fnn"}, {"--model fnn", kRecurrent}, {}},
    {{"--learn-initial-state"}, {"--model", "fnn"}, {"--model fnn", kRecurrent}, {}},
    {{"--zoneout-h", "0.1"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--zoneout-c", "0.1"}, {"--model", "gru"}, {"--model gru", kLstm}, {"--model", "lstm"}},
    {{"--variational-dropout", "0.1"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--recurrent-dropout", "0.1"}, {}, {"--model rnn", "use lstm or gru"}, {"--model", "gru"}},
    {{"--weight-drop", "0.1"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--label-smoothing", "0.1"}, {"--model", "linear"}, {"--model linear", "use "}, {}},
    {{"--ar", "1"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--tar", "1"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--proj-size", "5"}, {"--model", "gru"}, {"--model gru", kLstm}, {"--model", "lstm"}},
    {{"--forget-bias", "1"}, {}, {"--model rnn", kLstm}, {"--model", "lstm"}},
    {{"--tbptt", "7"}, {"--model", "fnn"}, {"--model fnn", kRecurrent}, {}},
    {{"--precision", "full"}, {"--model", "fnn"}, {"--model fnn", kRecurrent}, {}},
    {{"--length", "50"}, {"mnist"}, {"with mnist, which has images"}, {"adding"}},
    {{"--permute", "3"}, {"adding"}, {"with adding, which has no pixels"}, {"mnist"}},
    {{"--normalize", "none"}, {"adding"}, {"with adding, which has no pixels"}, {}},
    {{"--augment", "shift1"}, {"copy"}, {"with copy, which has no images"}, {}},
    {{"--epochs", "2"}, {"adding"}, {"with adding, which never ends"}, {"mnist"}},
    {{"--conv-channels", "9"}, {"--model", "cnn"}, {"--model cnn", kRecurrent}, {}},
    {{"--conv-kernel", "5"},
     {"--model", "cnn"},
     {"--model cnn", kRecurrent},
     {"--conv-channels", "9"}},
    {{"--conv-stride", "2"},
     {"--model", "cnn"},
     {"--model cnn", kRecurrent},
     {"--conv-channels", "9"}},
    {{"--validate", "0.1"}, {"adding"}, {"which never ends"}, {"mnist"}},
    {{"--split-seed", "1"}, {"adding"}, {"which never ends"}, {"mnist"}},
    {{"--patience", "3"}, {"adding"}, {"which never ends"}, {"mnist", "--validate", "0.1"}},
    {{"--refit"},
     {"adding"},
     {"which never ends"},
     {"mnist", "--validate", "0.1", "--patience", "3"}},
    {{"--leave-test"}, {"adding"}, {"which never ends"}, {"mnist", "--validate", "0.1"}},
    {{"--momentum", "0.5"},
     {"--optimizer", "adam"},
     {"--optimizer adam; leave it out, or use sgd or muon"},
     {"--optimizer", "sgd"}},
    {{"--momentum", "0.5"},
     {"--optimizer", "muon", "--model", "cnn"},
     {"--optimizer muon and --model cnn", "use sgd"},
     {"--optimizer", "muon", "--model", "gru"}},
    {{"--lr", "0.01"},
     {"--optimizer", "muon", "--model", "cnn", "--lr-others", "0.01"},
     {"--optimizer muon, --lr-others and --model cnn", "use adamw"},
     {"--optimizer", "muon", "--model", "cnn"}},
    {{"--lr-others", "0.01"},
     {"--optimizer", "adamw"},
     {"--optimizer adamw; leave it out, or use muon"},
     {"--optimizer", "muon"}},
    {{"--beta2", "0.9"},
     {"--optimizer", "sgd"},
     {"--optimizer sgd", "use adam, adamw, muon or rmsprop"},
     {"--optimizer", "rmsprop"}},
    {{"--amsgrad"},
     {"--optimizer", "muon"},
     {"--optimizer muon; leave it out, or use adam or adamw"},
     {"--optimizer", "adam"}},
    {{"--gamma", "0.5"},
     {"--schedule", "linear"},
     {"--schedule linear; leave it out, or use step, exponential or plateau"},
     {"--schedule", "step"}},
    {{"--gamma-every", "5"},
     {"--schedule", "exponential"},
     {"--schedule exponential; leave it out, or use step or plateau"},
     {"--schedule", "plateau"}},
};

/// Flags of series, beside images and beside a table.
struct SeriesFlag {
  Arguments flag;
  Arguments also = {};  ///< without it the flag does nothing
};

const SeriesFlag series_flags[] = {
    {{"--task", "label"}},
    {{"--target", "y"}},
    {{"--features", "x"}},
    {{"--ignore", "x"}},
    {{"--series", "s"}},
    {{"--time", "t"}},
    {{"--time-format", "%Y"}},
    {{"--group", "g"}},
    {{"--words", "w"}},
    {{"--vocabulary", "9"}},
    {{"--wide"}},
    {{"--window", "9"}},
    {{"--missing", "mean"}},
    {{"--stride", "3"}, {"--window", "9"}},
    {{"--scale", "none"}},
    {{"--class-weights", "balanced"}},
    {{"--separator", ";"}},
    {{"--decimal", ","}},
    {{"--no-header"}},
    {{"--test", "0.3"}},
    {{"--folds", "3"}},
    {{"--fold", "1"}, {"--folds", "3"}},
    {{"--log"}},
    {{"--embedding", "9"}},
    {{"--loss", "mae"}},
};

Arguments dry_run(const Arguments& flag, const Arguments& beside) {
  Arguments all = {"train", "--dry-run"};
  all.insert(all.end(), flag.begin(), flag.end());
  all.insert(all.end(), beside.begin(), beside.end());
  return all;
}

TEST(IdleFlags, AreRefusedWithTheReason) {
  for (const Example& e : examples) {
    std::vector<std::string> parts = e.reason;
    parts.push_back(e.flag[0] + " has no effect with ");
    test::expect_refused(dry_run(e.flag, e.idle), 2, parts);
    const auto result = test::run_program(dry_run(e.flag, e.active));
    EXPECT_EQ(result.code, 0) << testing::PrintToString(e.flag) << result.err;
  }
}

TEST(IdleFlags, OfSeriesDoNothingForImages) {
  const std::string table = UNROLL_SOURCE_DIR "/examples/data/pumps.csv";
  for (const SeriesFlag& e : series_flags) {
    const std::string idle = e.flag[0] + " has no effect with mnist, which has no series";
    test::expect_refused(dry_run(e.flag, {"mnist"}), 2, {idle});
    Arguments active = e.also;
    active.push_back(table);
    const auto result = test::run_program(dry_run(e.flag, active));  // may miss --task or --target
    EXPECT_EQ(result.err.find("has no effect"), std::string::npos) << result.err;
  }
}

TEST(IdleFlags, EverySettingWithACondition) {
  for (const train::Setting& setting : train::settings()) {
    const train::Rules& rules = setting.rules;
    if (rules.models == ~0U && rules.only.names == ~0U && !rules.missing && !rules.idle) continue;
    if (setting.key == "steps") continue;  // --epochs beside it has a message of its own
    const auto is_this = [&](const auto& e) { return e.flag[0] == setting.flag(); };
    EXPECT_TRUE(std::ranges::any_of(examples, is_this) ||
                std::ranges::any_of(series_flags, is_this))
        << setting.key;
  }
}

/// What is typed must do something, whatever its value.
TEST(IdleFlags, ADefaultThatIsTypedIsTreatedAlike) {
  test::expect_refused(dry_run({"--momentum", "0"}, {"--optimizer", "adam"}), 2,
                       {"--momentum has no effect with --optimizer adam"});
  test::expect_refused(dry_run({"--dropout", "0"}, {"--model", "logistic"}), 2,
                       {"--dropout has no effect with --model logistic"});
  test::expect_refused(dry_run({"--augment", "none"}, {"adding"}), 2,
                       {"--augment has no effect with adding"});
}

TEST(IdleFlags, BesideTheSettings) {
  test::expect_refused(dry_run({"--quiet"}, {"--json"}), 2, {"--quiet has no effect with --json"});
}

/// Dropout comes before the last layer, too, so that one hidden layer is enough.
TEST(IdleFlags, DropoutWorksWithOneLayer) {
  for (const char* model : {"fnn", "cnn", "rnn", "lstm", "gru"}) {
    const auto result =
        test::run_program(dry_run({"--dropout", "0.5"}, {"--layers", "1", "--model", model}));
    EXPECT_EQ(result.code, 0) << model << result.err;
  }
}

TEST(IdleFlags, ARecipesValueIsNone) {
  const auto result = test::run_program(dry_run({}, {"--recipe", "tuned", "--optimizer", "adam"}));
  EXPECT_EQ(result.code, 0) << result.err;
}

/// The path of a config.json with these settings.
std::string write_config(const test::TemporaryFolder& folder, const train::Config& config) {
  return folder.write("config.json", train::to_json(config, {"a", "b", 1}));
}

TEST(IdleFlags, AValueOfConfigJsonIsNone) {
  const test::TemporaryFolder folder;
  train::Config config = train::recipe("tuned", train::ModelKind::logistic);
  config.optimizer = train::Algorithm::adam;
  config.momentum = 0.5;
  config.lr_others = 0.5;
  config.hidden = 7;
  config.amsgrad = true;
  config.schedule = train::ScheduleKind::step;
  config.gamma = 0.5;
  const std::string file = write_config(folder, config);
  const auto result = test::run_program(
      dry_run({"--config", file}, {"--schedule", "constant", "--optimizer", "sgd"}));
  EXPECT_EQ(result.code, 0) << result.err;
  // A flag beside the file must do something.
  test::expect_refused(dry_run({"--config", file}, {"--hidden", "8"}), 2,
                       {"--hidden has no effect with --model logistic"});
}

TEST(IdleFlags, OtherDataDropsTheSettingsThatItLacks) {
  const test::TemporaryFolder folder;
  train::Config config = train::recipe("tuned");
  config.permute = 3;
  config.epochs = 2;
  const std::string file = write_config(folder, config);
  const auto result = test::run_program(dry_run({"adding", "--config", file}, {"--json"}));
  ASSERT_EQ(result.code, 0) << result.err;
  const auto settings = nlohmann::json::parse(result.out).at("settings");
  EXPECT_FALSE(settings.contains("augment"));
  EXPECT_EQ(settings.at("steps").at("value"), 3000);
  EXPECT_EQ(settings.at("optimizer").at("value"), "muon");
  EXPECT_EQ(settings.at("optimizer").at("from"), "config.json");
}

}  // namespace
}  // namespace unroll::app
