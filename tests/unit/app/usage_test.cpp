// What is typed wrongly is refused before any work, with a suggestion; what is asked is answered.
#include <gtest/gtest.h>

#include <filesystem>

#include "support/expect_parts.h"
#include "support/refusal.h"

namespace unroll::app {
namespace {

using test::run_program;
using Arguments = std::vector<std::string>;

using test::expect_parts;

/// There is no data set here: were any work begun, it would end with another message and code.
void expect_refused(const Arguments& arguments, const std::vector<std::string>& parts) {
  test::expect_refused(arguments, 2, parts);
}

TEST(Fault40, SettingsOutOfRange) {
  const auto refused = [](Arguments flags, const std::vector<std::string>& parts) {
    flags.insert(flags.begin(), {"train", "mnist", "--out", "run"});
    expect_refused(flags, parts);
  };
  refused({"--epochs", "-1"}, {"epochs", "-1", "at least 1"});
  refused({"--epochs", "0"}, {"epochs", "0", "at least 1"});
  refused({"--batch-size", "0"}, {"batch-size", "0", "from 1 to"});
  refused({"--hidden", "1000000000000"}, {"hidden", "1000000000000", "from 1 to"});
  refused({"--hidden", "99999999999999999999999"}, {"--hidden", "out of range"});
  refused({"--lr", "nan"}, {"lr", "nan", "above 0"});
  refused({"--lr", "inf"}, {"lr", "inf", "above 0"});
  refused({"--lr", "0"}, {"lr", "0", "above 0"});
  refused({"--lr", "abc"}, {"--lr", "abc"});
  refused({"--steps", "0"}, {"steps", "0", "from 1 to"});
  refused({"--layers", "0"}, {"layers", "0", "from 1 to"});
  refused({"--threads", "-1"}, {"threads", "-1", "from 0 to"});
  refused({"--seed", "-1"}, {"seed", "-1", "from 0 to"});
  refused({"--seed", "18446744073709551616"}, {"seed", "18446744073709551616"});
  refused({"--momentum", "1"}, {"momentum", "1", "below 1"});
  refused({"--clip-norm", "-1"}, {"clip-norm", "-1", "at least 0"});
  refused({"--save-at", "1,x"}, {"save-at", "x"});
  refused({"--normalize", "0.1"}, {"normalize", "MEAN,STD"});
  refused({"--normalize", "0,0"}, {"normalize", "more than 0"});
  refused({"--normalize", "0,1e-300"}, {"normalize", "more than 0"});
  refused({"--steps", "5", "--epochs", "2"}, {"--steps", "--epochs", "one"});
  refused({"--tbptt", "-1"}, {"tbptt", "-1", "from 0 to"});
  refused({"--tbptt", "5", "--bidirectional"}, {"tbptt", "--bidirectional", "leave"});
  refused({"--tbptt", "5", "--model", "cnn"}, {"tbptt", "cnn"});
  refused({"--pixels", "--model", "fnn"}, {"pixels", "fnn"});
  refused({"--permute", "-1"}, {"--permute", "-1", "from 0 to"});
  refused({"--length", "50"}, {"length", "mnist"});
  refused({"--out"}, {"--out"});
}

TEST(Fault40, WhatIsEmptyIsAVariableThatIsNotSet) {
  const auto refused = [](const Arguments& arguments, const std::string& name) {
    expect_refused(arguments, {name + " is empty; is a shell variable not set?"});
  };
  refused({"train", "adding", "--resume", ""}, "--resume");
  refused({"train", "adding", "--out", ""}, "--out");
  refused({"train", "adding", "--config", ""}, "--config");
  refused({"train", "mnist", "--data-dir", ""}, "--data-dir");
  refused({"train", ""}, "DATASET");
  refused({"verify", ""}, "RUN");
  refused({"inspect", ""}, "MODEL");
  refused({"inspect", "model", "--svg", ""}, "--svg");
  refused({"export", "model", "--format", "npz", "-o", ""}, "--out");
  refused({"import", "model", "--out", ""}, "--out");
  refused({"import", "model", "--out", "new", "--check", "in.npy", ""}, "--check");
  refused({"predict", "model", "in.npy", "--out", ""}, "--out");
  refused({"eval", "model", "--logits", ""}, "--logits");
  refused({"data", "info", ""}, "NAME");
}

TEST(Fault40, SettingsThatATaskHasNot) {
  const auto refused = [](Arguments arguments, const std::vector<std::string>& parts) {
    arguments.insert(arguments.begin(), {"train", "--out", "run"});
    expect_refused(arguments, parts);
  };
  refused({"adding", "--length", "1"}, {"length", "1", "from 2 to"});
  refused({"copy", "--length", "9999999999"}, {"length", "9999999999", "from 1 to"});
  refused({"adding", "--epochs", "2"}, {"epochs", "adding", "leave it out"});
  refused({"adding", "--augment", "shift1"}, {"augment", "adding", "leave it out"});
  refused({"adding", "--pixels"}, {"pixels", "adding", "leave it out"});
  refused({"copy", "--permute", "1"}, {"permute", "copy", "leave it out"});
  refused({"copy", "--readout", "max"}, {"readout", "copy", "leave it out"});
  refused({"copy", "--model", "cnn"}, {"model", "cnn", "lstm"});
  refused({"adding", "--recipe", "sprint"}, {"recipe", "sprint", "tuned"});
  refused({"adding", "--length", "1000000", "--batch-size", "1000000"}, {"batch-size", "smaller"});
}

TEST(Fault40, WhatIsNotKnownGetsASuggestion) {
  expect_refused({"trian", "mnist"}, {"command trian", "did you mean train?"});
  expect_refused({"data", "inof", "mnist"}, {"command inof", "did you mean info?"});
  expect_refused({"train", "mnist", "--hiden", "5"}, {"flag --hiden", "did you mean --hidden?"});
  expect_refused({"train", "--hiden=5"}, {"flag --hiden", "did you mean --hidden?"});
  expect_refused({"--lr", "1", "train"}, {"--lr", "the command comes first", "unroll train --lr"});
  expect_refused({"eval", "model", "--logit", "x"}, {"flag --logit", "did you mean --logits?"});
  expect_refused({"data", "info", "mnist", "--data-dri", "x"},
                 {"did you mean --data-dir?", "unroll data info --help"});
  expect_refused({"train", "minst"}, {"minst", "did you mean mnist?"});
  expect_refused({"train", "addding"}, {"addding", "did you mean adding?"});
  expect_refused({"train", "adding", "--lenght", "9"}, {"--lenght", "did you mean --length?"});
  expect_refused({"train", "mnist", "--tbtpt", "9"}, {"--tbtpt", "did you mean --tbptt?"});
  expect_refused({"train", "mnist", "--pixel"}, {"--pixel", "did you mean --pixels?"});
  expect_refused({"train", "--recipe", "tunde"}, {"recipe", "tunde", "did you mean tuned?"});
  expect_refused({"train", "--optimizer", "moun"}, {"moun", "did you mean muon?"});
  expect_refused({"train", "--init", "identiti"}, {"identiti", "did you mean identity?"});
  expect_refused({"train", "--schedule", "linaer"}, {"linaer", "did you mean linear?"});
  expect_refused({"train", "--augment", "shift11"}, {"shift11", "did you mean shift1?"});
  expect_refused({"train", "--rng", "pytorch"}, {"pytorch", "did you mean torch?"});
  expect_refused({"train", "--dtype", "f63"}, {"f63", "did you mean f6"});
  expect_refused({"train", "--activation", "rely"}, {"rely", "did you mean relu?"});
  expect_refused({"train", "--model", "rn"}, {"rn", "did you mean rnn?"});
  expect_refused({"train", "mnist", "surplus"}, {"argument surplus"});
  expect_refused({"train", "MNIST"}, {"MNIST", "did you mean mnist?"});
  expect_refused({"train", "--model", "LSTM"}, {"LSTM", "did you mean lstm?"});
  expect_refused({"train", "--optimizer", "Adma"}, {"Adma", "did you mean adam?"});
  expect_refused({"data", "fetch", "fashion_mnist"}, {"did you mean fashion-mnist?"});
  expect_refused({"completion", "bsh"}, {"bash, zsh or fish", "did you mean bash?"});
  expect_refused({}, {"command", "unroll --help"});
  expect_refused({"data"}, {"unroll data --help"});
  expect_refused({"eval"}, {"MODEL"});
}

TEST(Fault40, AKeyOfTheConfigurationThatIsNotKnown) {
  const test::TemporaryFolder folder;
  const std::string rest =
      R"("numerics_revision":1,"data":{"train_sha256":"a","test_sha256":"b"}})";
  const auto refused = [&](const std::string& settings, const std::vector<std::string>& parts) {
    const std::string file =
        folder.write("config.json", R"({"settings":{)" + settings + "}," + rest);
    expect_refused({"train", "--config", file, "--out", "run"}, parts);
  };
  refused(R"("hiden":5)", {"config.json", "'hiden'", "did you mean hidden?"});
  refused(R"("hidden":"many")", {"config.json", "'hidden'", "many"});
  refused(R"("hidden":1.5)", {"config.json", "'hidden'", "1.5"});
  refused(R"("seed":-1)", {"config.json", "'seed'", "-1"});
  refused(R"("threads":4294967297)", {"threads", "4294967297"});
  refused(R"("lr":-1)", {"lr", "-1", "above 0"});
  refused(R"("optimizer":"sdg")", {"sdg", "did you mean sgd?"});
}

TEST(Fault30, ConfigurationsThatAreNotTheFormats) {
  const test::TemporaryFolder folder;
  const auto refused = [&](const std::string& text, const std::string& why) {
    const std::string file = folder.write("config.json", text);
    test::expect_refused({"train", "--config", file, "--out", "run"}, 1,
                         {file, why, "give the config.json of a run"});
  };
  refused(R"({"settings":{"hidden":5,"hidden":6}})", "\"hidden\" appears twice");
  refused(
      R"({"settings":{"hidden":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}}",
      "nested deeper than 32");
  refused("{\"settings\":{\"recipe\":\"\xff\"}}", "not JSON in UTF-8 (byte 24)");
  refused(R"({"settings":{"lr":1e999}})", "too large");
  const std::string large = folder.write("config.json", std::string((1 << 20) + 1, ' '));
  test::expect_refused({"train", "--config", large, "--out", "run"}, 1,
                       {large, "1048577 bytes", "expected at most 1048576"});
}

TEST(Usage, AnInstructionSetThatIsNotThere) {
  test::Program program({"train", "mnist", "--out", "run"},
                        {.environment = {{"UNROLL_ISA", "abacus"}}});
  const auto result = program.finish();
  EXPECT_EQ(result.code, 2);
  expect_parts(result.err, {"UNROLL_ISA=abacus", "this CPU has"});
  EXPECT_TRUE(std::filesystem::is_empty(program.folder() / "work"));
}

TEST(Usage, SuggestionsAreCloseOrAbsent) {
  const auto without = [](const Arguments& arguments) {
    const auto result = run_program(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.err.find("did you mean"), std::string::npos) << result.err;
  };
  without({"train", "--name", "x"});
  without({"train", "--nesterov"});
  without({"train", "--foo", "x"});
  without({"train", "--model", "transformer"});
  without({"frobnicate"});
}

TEST(Usage, HelpOfEveryCommandBeginsWithAnExample) {
  const Arguments commands[] = {
      {},        {"train"},     {"eval"}, {"predict"},       {"inspect"},
      {"bench"}, {"signature"}, {"data"}, {"data", "fetch"}, {"data", "info"}};
  for (Arguments command : commands) {
    std::string example = "Example:\n  unroll";
    for (const std::string& word : command) example += " " + word;
    if (command == Arguments{"data"}) example = "Example:\n  unroll data ";
    command.push_back("--help");
    SCOPED_TRACE(testing::PrintToString(command));
    const auto result = run_program(command);
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_TRUE(result.out.starts_with(example)) << result.out;
    EXPECT_NE(result.out.find("-h, --help"), std::string::npos) << result.out;
    // unroll help COMMAND says the same.
    command.pop_back();
    command.insert(command.begin(), "help");
    EXPECT_EQ(run_program(command).out, result.out);
  }
}

TEST(Usage, HelpPutsTheMainCommandsInFront) {
  const std::string help = run_program({"--help"}).out;
  std::size_t at = help.find("\nMain commands:\n");
  for (const char* command : {"data", "train", "eval", "predict", "export"}) {
    const std::size_t next = help.find("\n  " + std::string(command) + " ");
    ASSERT_NE(next, std::string::npos) << command;
    EXPECT_LT(at, next) << command;
    at = next;
  }
  EXPECT_LT(at, help.find("\nOther commands:\n"));
  expect_parts(help, {"docs/README.md", "/usr/share/doc/unroll"});
  EXPECT_EQ(run_program({"help"}).out, help);
}

TEST(Usage, ResultsThatCannotBeWrittenAreAFailure) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const test::TemporaryFolder folder;
  const auto result = run_program({"--help"}, {.script = R"("$0" "$@" > /dev/full)"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"stdout", "No space left"});
}

}  // namespace
}  // namespace unroll::app
