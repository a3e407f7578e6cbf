// The commands on tables of series: from a CSV to a model, its results and its predictions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "support/expect_parts.h"
#include "support/program.h"
#include "support/series_file.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Texts = std::vector<std::string>;
using test::content_of;
using test::expect_parts;
using test::lines_of;
using test::run_program;

struct SeriesCommands : testing::Test {
  test::TemporaryFolder folder;
  std::string csv = folder / "slopes.csv", words = folder / "words.tsv";

  SeriesCommands() {
    folder.write("slopes.csv", test::table_of_series());
    folder.write("words.tsv", test::table_of_words());
  }

  static Texts joined(Texts a, const Texts& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }
  Texts classify(const Texts& more = {}) const {
    return joined({csv, "--task", "classify", "--target", "kind", "--series", "series", "--group",
                   "subject", "--ignore", "rate"},
                  more);
  }
  Texts regress(const Texts& more = {}) const {
    return joined({csv, "--task", "regress", "--target", "rate", "--series", "series", "--ignore",
                   "subject,kind"},
                  more);
  }
  Texts label(const Texts& more = {}) const {
    return joined({words, "--task", "label", "--target", "tag", "--words", "word"}, more);
  }
  /// A short training into folder/OUT. The model reads forwards, so that it can answer row by row.
  void train(const std::string& out, const Texts& data) const {
    const auto result = run_program(
        joined(joined({"train"}, data), {"--out", folder / out, "--steps", "40", "--hidden", "6",
                                         "--bidirectional=off", "--eval-every", "20"}));
    ASSERT_EQ(result.code, 0) << result.err;
  }
  Json config(const std::string& run) const {
    return Json::parse(content_of(folder / (run + "/config.json")));
  }
};

TEST_F(SeriesCommands, TrainSaysWhatItInferredAndKeepsIt) {
  const auto result = run_program(joined(
      joined({"train"}, classify()), {"--out", folder / "run", "--steps", "20", "--hidden", "4"}));
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(result.out, {"separator comma", "task: classify", "inputs: side (2 texts",
                            "groups of subject stay together",
                            "slopes train: ", "slopes validation: ", "slopes test: "});
  const Json settings = config("run").at("settings");
  EXPECT_EQ(settings["task"], "classify");
  EXPECT_EQ(settings["features"], Json({"side", "x"}));
  EXPECT_EQ(settings["separator"], ",");
  EXPECT_NE(settings["test"], "auto");
  EXPECT_NE(settings["validate"], "auto");
  EXPECT_TRUE(fs::exists(folder / "run/predictions.csv"));
}

TEST_F(SeriesCommands, InfoShowsWhatTrainWouldReadAndTrainsNothing) {
  const auto text = run_program(joined({"data", "info"}, classify()));
  ASSERT_EQ(text.code, 0) << text.err;
  expect_parts(text.out,
               {"set: slopes, from " + csv, "inputs: side (2 texts", "slopes validation: ",
                "values in memory: ", "baseline, validation part: most frequent class, accuracy "});
  train("run", classify());
  const auto json = run_program(joined(joined({"data", "info"}, classify()), {"--json"}));
  ASSERT_EQ(json.code, 0) << json.err;
  const Json line = Json::parse(json.out), trained = config("run");
  EXPECT_EQ(line["parts"]["train"]["sha256"], trained["data"]["train_sha256"]);
  EXPECT_EQ(line["parts"]["test"]["sha256"], trained["data"]["test_sha256"]);
  EXPECT_EQ(line["input"]["features"], Json({"side=left", "side=right", "x"}));
  EXPECT_EQ(line["target"]["names"], Json({"down", "up"}));
  for (const auto& [key, value] : line["settings"].items())
    EXPECT_EQ(value, trained["settings"][key]) << key;
}

TEST_F(SeriesCommands, EvalTestsTheRunsOwnTestPart) {
  for (const bool numbers : {false, true}) {
    const std::string run = numbers ? "numbers" : "classes";
    train(run, numbers ? regress() : classify());
    const Json last = Json::parse(lines_of(content_of(folder / (run + "/metrics.jsonl"))).back());
    const auto eval =
        run_program({"eval", folder / run, "--json", "--predictions", folder / (run + ".csv")});
    ASSERT_EQ(eval.code, 0) << eval.err;
    const Json line = Json::parse(eval.out);
    EXPECT_EQ(line["loss"], last["loss"]);
    EXPECT_EQ(line["baselines"].size(), numbers ? 2U : 1U);
    EXPECT_EQ(content_of(folder / (run + ".csv")), content_of(folder / (run + "/predictions.csv")));
    const auto text = run_program({"eval", folder / run});
    ASSERT_EQ(text.code, 0) << text.err;
    expect_parts(text.out, {numbers ? "Test RMSE" : "Test accuracy"});
    if (numbers) continue;
    EXPECT_EQ(line["classes"][0]["name"], "down");
    EXPECT_EQ(line["classes"][1]["name"], "up");
    expect_parts(text.out, {"count  name\n", "  down\n", "  up\n"});
  }
}

TEST_F(SeriesCommands, FilesOfAnotherKindAreNamed) {
  for (const char* command : {"train", "data info"}) {
    Texts words = command == std::string("train") ? Texts{"train"} : Texts{"data", "info"};
    words.insert(words.end(), {folder.write("x.npy", "no array"), "--task", "classify"});
    const auto array = run_program(words);
    EXPECT_EQ(array.code, 2);
    expect_parts(array.err,
                 {"x.npy is a file of another kind, expected one that ends in .csv, .tsv",
                  "numpy.savez(\"data.npz\", X=X, y=y)"});
  }
}

TEST_F(SeriesCommands, EvalGivesTheResultsOfEachValueOfAColumn) {
  train("run", classify());
  // The subjects of the test part, and how many of its series are right.
  const auto whole = run_program({"eval", folder / "run", "--json"});
  ASSERT_EQ(whole.code, 0) << whole.err;
  const auto eval = run_program({"eval", folder / "run", "--by", "subject", "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  Json line = Json::parse(eval.out);
  EXPECT_EQ(line["by"]["column"], "subject");
  std::int64_t series = 0, correct = 0;
  double loss = 0;
  Texts values;
  for (const Json& value : line["by"]["values"]) {
    // Of the forty series, p0 to p3 have six each, the others four; all of a subject in one part.
    const std::int64_t count = value["value"] < "p4" ? 6 : 4;
    EXPECT_EQ(value["series"], count) << value;
    EXPECT_EQ(value["total"], count) << value;
    values.push_back(value["value"]);
    series += value["series"].get<std::int64_t>();
    correct += value["correct"].get<std::int64_t>();
    loss += static_cast<double>(count) * value["loss"].get<double>();
  }
  EXPECT_TRUE(std::ranges::is_sorted(values));
  EXPECT_EQ(series, line["total"]);
  EXPECT_EQ(correct, line["correct"]);
  EXPECT_NEAR(loss / static_cast<double>(series), line["loss"].get<double>(), 1e-6);
  line.erase("by");
  EXPECT_EQ(line, Json::parse(whole.out));

  const auto text = run_program({"eval", folder / "run", csv, "--by", "subject"});
  ASSERT_EQ(text.code, 0) << text.err;
  expect_parts(text.out,
               {"series", "accuracy  subject\n", "     6  ", "     4  ", "  p0\n", "  p7\n"});

  const auto of = [&](const std::string& column) {
    const auto refused = run_program({"eval", folder / "run", "--by", column});
    EXPECT_EQ(refused.code, column == "side" ? 1 : 2);
    return refused.err;
  };
  expect_parts(of("side"), {csv + ":3:4: side is \"right\", but \"left\" in line 2 of the same "
                                  "series \"s00\"; --by needs one value for a series"});
  expect_parts(of("subjct"), {"has no column \"subjct\"", "did you mean subject?"});
}

TEST_F(SeriesCommands, EvalByAColumnOfNumbersWithWindows) {
  train("run", regress({"--window", "4"}));
  const auto eval = run_program({"eval", folder / "run", "--by", "kind", "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  const Json values = Json::parse(eval.out)["by"]["values"];
  ASSERT_EQ(values.size(), 2u);
  EXPECT_EQ(values[0]["value"], "down");
  EXPECT_EQ(values[0]["series"].get<int>() + values[1]["series"].get<int>(), 8);
  EXPECT_TRUE(values[0].contains("rmse_of_series"));
}

TEST_F(SeriesCommands, EvalRefusesChangedDataAndFilesWithoutTargets) {
  train("run", classify());
  folder.write("slopes.csv", test::table_of_series(0, 38));
  const auto changed = run_program({"eval", folder / "run"});
  EXPECT_EQ(changed.code, 1);
  expect_parts(changed.err, {"the data of " + folder / "run has changed: "});
  folder.write("new.csv", "series,x,side\na,1,left\na,2,left\n");
  const auto none = run_program({"eval", folder / "run", folder / "new.csv"});
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.err, "unroll: " + folder / "new.csv" +
                          " has no column kind, which the model predicts; predict it with: unroll "
                          "predict " +
                          folder / "run" + " " + folder / "new.csv" + "\n");
}

// Rows of a run's test part in a file of their own, with columns in another order and one more.
std::string part_of(const std::string& table, const std::string& predictions) {
  std::string text = "extra,side,x,series,rate,kind\n";
  for (const std::string& line : lines_of(table)) {
    const std::string name = line.substr(0, line.find(','));
    if (predictions.find("\n" + name + ",") == std::string::npos) continue;
    Texts fields(1);
    for (const char c : line)
      if (c == ',')
        fields.emplace_back();
      else
        fields.back() += c;
    text += "9," + fields[3] + "," + fields[2] + "," + fields[0] + "," + fields[5] + "," +
            fields[4] + "\n";
  }
  return text;
}

TEST_F(SeriesCommands, PredictOfTheTestPartIsThePredictionsOfTheRun) {
  for (const bool numbers : {false, true}) {
    const std::string run = numbers ? "numbers" : "classes";
    train(run, numbers ? regress() : classify());
    const std::string wanted = content_of(folder / (run + "/predictions.csv"));
    folder.write("new.csv", part_of(test::table_of_series(), wanted));
    const auto result = run_program({"predict", folder / run, folder / "new.csv"});
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, wanted);
    ASSERT_EQ(
        run_program({"predict", folder / run, folder / "new.csv", "--out", folder / "out.csv"})
            .code,
        0);
    EXPECT_EQ(content_of(folder / "out.csv"), wanted);
    const auto json = run_program({"predict", folder / run, folder / "new.csv", "--json"});
    const Texts lines = lines_of(json.out);
    ASSERT_EQ(lines.size() + 1, lines_of(wanted).size());
    const Json first = Json::parse(lines[0]);
    EXPECT_EQ(first["series"], lines_of(wanted)[1].substr(0, 3));
    EXPECT_TRUE(first.contains(numbers ? "values" : "probabilities")) << lines[0];
    ASSERT_EQ(
        run_program({"predict", folder / run, folder / "new.csv", "--out", folder / "out.npy"})
            .code,
        0);
    EXPECT_TRUE(content_of(folder / "out.npy").starts_with("\x93NUMPY"));
  }
}

TEST_F(SeriesCommands, LinesAreAnsweredWithTheSameBits) {
  train("classes", classify());
  const std::string wanted = content_of(folder / "classes/predictions.csv"),
                    file = part_of(test::table_of_series(), wanted);
  folder.write("new.csv", file);
  const auto steps =
      run_program({"predict", folder / "classes", folder / "new.csv", "--every-step"});
  ASSERT_EQ(steps.code, 0) << steps.err;
  EXPECT_EQ(lines_of(steps.out)[0], "series,step,predicted,down,up");
  const auto lines = run_program({"predict", folder / "classes", "-"}, {.input = file});
  ASSERT_EQ(lines.code, 0) << lines.err;
  EXPECT_EQ(lines.out, steps.out);
  // The last answer of a series is that to all of it.
  const Texts all = lines_of(lines.out);
  std::string last = "series,predicted,down,up\n";
  for (std::size_t i = 1; i < all.size(); ++i) {
    const std::string name = all[i].substr(0, 4);
    if (i + 1 < all.size() && all[i + 1].starts_with(name)) continue;
    last += name + all[i].substr(all[i].find(',', 4) + 1) + "\n";
  }
  EXPECT_EQ(last, wanted);
}

TEST_F(SeriesCommands, WindowsAreAnsweredWhenTheyEnd) {
  train("run", classify({"--window", "4", "--stride", "2"}));
  const std::string wanted = content_of(folder / "run/predictions.csv");
  EXPECT_EQ(lines_of(wanted)[0], "series,window,predicted,down,up");
  const auto lines = run_program({"predict", folder / "run", "-"},
                                 {.input = part_of(test::table_of_series(), wanted)});
  ASSERT_EQ(lines.code, 0) << lines.err;
  EXPECT_EQ(lines.out, wanted);
}

TEST_F(SeriesCommands, LabelsComeLineByLine) {
  const auto result =
      run_program(joined(joined({"train"}, label()), {"--out", folder / "run", "--steps", "30",
                                                      "--hidden", "5", "--model", "lstm"}));
  ASSERT_EQ(result.code, 0) << result.err;
  if (config("run")["settings"]["bidirectional"]) {
    const auto refused = run_program({"predict", folder / "run", "-"}, {.input = "word\nthe\n"});
    EXPECT_EQ(refused.code, 2);
    expect_parts(refused.err, {"stdin is answered line by line, but ", " is bidirectional"});
  }
  const auto all = run_program({"predict", folder / "run", words});
  ASSERT_EQ(all.code, 0) << all.err;
  EXPECT_EQ(lines_of(all.out)[0], "series,step,predicted");
}

TEST_F(SeriesCommands, FaultsOfLinesNameTheLine) {
  train("run", classify());
  const auto refused = [&](const std::string& input, const std::string& text) {
    const auto result = run_program({"predict", folder / "run", "-"}, {.input = input});
    EXPECT_EQ(result.code, 1) << input;
    expect_parts(result.err, {text});
  };
  refused("", "nothing on stdin; the first line has the names of the columns");
  refused("series,x,side\na,1,left\n\na,2,left\n", "stdin:3: the line is empty, expected a row");
  refused("series,x,side\na,1,left\na,2\n", "stdin:3: the line has 2 fields, expected 3");
  const auto missing = run_program({"predict", folder / "run", "-"}, {.input = "series,x\na,1\n"});
  EXPECT_EQ(missing.code, 2);
  expect_parts(missing.err, {"side"});
}

TEST_F(SeriesCommands, SeedsFoldsAndASweep) {
  const Texts small = {"--steps", "20", "--hidden", "4", "--eval-every", "10"};
  const auto folds =
      run_program(joined(joined({"train"}, classify(small)),
                         {"--folds", "4", "--seeds", "0-1", "--out", folder / "folds"}));
  ASSERT_EQ(folds.code, 0) << folds.err;
  Json summary = Json::parse(content_of(folder / "folds/summary.json"));
  EXPECT_EQ(summary["finished"], 8);
  EXPECT_EQ(summary["runs"][3]["name"], "fold1-seed1");
  // Every series is in one test part.
  std::size_t rows = 0;
  for (int k = 0; k < 4; ++k)
    rows +=
        lines_of(content_of(folder / fmt::format("folds/fold{}-seed0/predictions.csv", k))).size() -
        1;
  EXPECT_EQ(rows, 40U);

  const auto sweep =
      run_program(joined(joined({"train"}, classify({"--steps", "20"})),
                         {"--out", folder / "sweep", "--sweep", "lr=0.001,0.01", "hidden=3,5"}));
  ASSERT_EQ(sweep.code, 0) << sweep.err;
  expect_parts(sweep.out,
               {"lr0.001-hidden3", "lr0.01-hidden5",
                "The lowest loss on the validation part. Its results on the test part:"});
  summary = Json::parse(content_of(folder / "sweep/summary.json"));
  ASSERT_EQ(summary["best"]["runs"].size(), 1U);
  const std::string best = summary["best"]["runs"][0]["name"];
  double lowest = 1e9;
  std::string chosen;
  for (const Json& run : summary["runs"]) {
    if (run["loss"] < lowest) chosen = run["name"];
    lowest = std::min(lowest, run["loss"].get<double>());
    // The test part is left alone.
    const std::string name = run["name"],
                      metrics = content_of(folder / ("sweep/" + name + "/metrics.jsonl"));
    for (const std::string& line : lines_of(metrics)) {
      const Json json = Json::parse(line);
      if (json["event"] == "eval") {
        EXPECT_EQ(json.value("part", "test"), "validation") << name;
      }
    }
    EXPECT_FALSE(fs::exists(folder / ("sweep/" + name + "/predictions.csv")));
  }
  EXPECT_EQ(best, chosen);
  const auto eval = run_program({"eval", folder / ("sweep/" + best), "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(Json::parse(eval.out)["loss"], summary["best"]["runs"][0]["loss"]);
}

TEST_F(SeriesCommands, TheTestPartStaysUnreadWhereItIsLeft) {
  const auto seeds =
      run_program(joined(joined({"train"}, classify({"--steps", "5", "--eval-every", "5"})),
                         {"--seeds", "0-1", "--leave-test", "--out", folder / "seeds"}));
  ASSERT_EQ(seeds.code, 0) << seeds.err;
  const Json summary = Json::parse(content_of(folder / "seeds/summary.json"));
  EXPECT_EQ(summary["part"], "validation");
  for (const char* flag : {"--leave-test", "--test=none"}) {
    const std::string out = folder / (std::string("sweep") + flag);
    const auto sweep = run_program(joined(joined({"train"}, classify({"--steps", "5"})),
                                          {flag, "--out", out, "--sweep", "lr=0.001,0.01"}));
    ASSERT_EQ(sweep.code, 0) << sweep.err;
    expect_parts(sweep.out, {"The lowest loss on the validation part: lr0.0"});
    const Json best = Json::parse(content_of(out + "/summary.json"))["best"];
    EXPECT_FALSE(best.contains("part")) << best;
    EXPECT_EQ(best["runs"].size(), 1U);
  }
}

TEST_F(SeriesCommands, EvalUsesTheLossOfTheRunAndSaysWhatWasSeen) {
  train("first", regress());
  train("run", regress({"--loss", "mae", "--init-from", folder / "first"}));
  const Json last = Json::parse(lines_of(content_of(folder / "run/metrics.jsonl")).back());
  const auto eval = run_program({"eval", folder / "run", "--json"});
  ASSERT_EQ(eval.code, 0) << eval.err;
  EXPECT_EQ(Json::parse(eval.out)["loss"], last["loss"]);
  EXPECT_EQ(eval.err, "");
  const auto seen = run_program({"eval", folder / "run", csv});
  ASSERT_EQ(seen.code, 0) << seen.err;
  expect_parts(seen.err, {"the model was trained with " + csv, "unroll eval " + folder / "run"});
  // Another model to begin with would give another run.
  train("first2", regress({"--seed", "1"}));
  fs::copy_file(folder / "first2/model.safetensors", folder / "other.safetensors");
  folder.write("first/model.safetensors", content_of(folder / "other.safetensors"));
  folder.write("first/manifest.json", content_of(folder / "first2/manifest.json"));
  const auto again = run_program({"train", "--config", folder / "run/config.json"});
  EXPECT_EQ(again.code, 1);
  expect_parts(again.err, {"is not the model of config.json"});
}

TEST_F(SeriesCommands, StepsAreThoseThatWereMade) {
  const auto run = run_program(joined(
      joined({"train"}, classify({"--steps", "2000", "--eval-every", "1", "--patience", "1"})),
      {"--json", "--lr", "0.25", "--out", folder / "run"}));
  ASSERT_EQ(run.code, 0) << run.err;
  const Json done = Json::parse(lines_of(run.out).back());
  std::int64_t last = 0;
  for (const std::string& line : lines_of(content_of(folder / "run/metrics.jsonl")))
    if (const Json json = Json::parse(line); json["event"] == "step") last = json["step"];
  EXPECT_LT(last, 2000);
  EXPECT_EQ(done["steps"], last);
  EXPECT_EQ(done["kept_step"], last - 1);
}

TEST_F(SeriesCommands, FlagsOfPredictThatDoNothingAreRefused) {
  train("run", classify());
  const auto refused = [&](const Texts& typed, const std::string& text) {
    const auto result = run_program(joined({"predict", folder / "run"}, typed));
    EXPECT_EQ(result.code, 2) << result.err;
    expect_parts(result.err, {text});
  };
  for (const char* flag : {"--every-step", "--json"})
    refused({csv, flag, "--out", folder / "o.npy"}, "gets one row of outputs for each series");
  train("windows", classify({"--window", "2"}));
  for (const std::string& file : {csv, std::string("-")}) {
    const auto result = run_program({"predict", folder / "windows", file, "--every-step"});
    EXPECT_EQ(result.code, 2) << file;
    expect_parts(result.err, {"--every-step: the model reads windows of 2 steps"});
  }
}

TEST_F(SeriesCommands, MistakesAreNamed) {
  const auto refused = [&](const Texts& words_typed, int code, const std::string& text) {
    const auto result = run_program(words_typed);
    EXPECT_EQ(result.code, code) << result.err;
    EXPECT_EQ(result.out, "");
    expect_parts(result.err, {text});
  };
  refused({"train", folder / "none.csv", "--task", "classify", "--target", "kind", "--series", "s"},
          1, "none.csv");
  refused({"train", csv}, 2, "--task is missing");
  refused({"train", csv, "--task", "clasify"}, 2, "did you mean classify?");
  refused({"train", "mnist", "--target", "kind"}, 2,
          "--target has no effect with mnist, which has no series of your own; leave it out");
  refused({"data", "info", "mnist", "--target", "kind"}, 2,
          "--target has no effect with mnist, which has no series of your own; leave it out");
  folder.write("empty.csv", "");
  for (const Texts& command : {Texts{"train"}, Texts{"data", "info"}}) {
    refused(joined(command, {folder / "empty.csv", "--task", "classify", "--target", "a"}), 1,
            "empty.csv is empty");
    refused(joined(command, classify({"--test", "20%"})), 2,
            "20%, expected a share above 0 and below 1, as in 0.2; give 0.2");
  }
}

TEST_F(SeriesCommands, AFolderOfSeveralRunsIsNoModel) {
  train("set", classify({"--seeds", "0,1"}));
  for (const Texts& more : {Texts{}, Texts{csv}}) {
    const auto result =
        run_program(joined({more.empty() ? "eval" : "predict", folder / "set"}, more));
    EXPECT_EQ(result.code, 2);
    expect_parts(result.err, {"set holds several runs; name one of them, as in ", "set/seed0"});
  }
}

TEST_F(SeriesCommands, ACppHeaderNamesInputsAndAnswers) {
  train("run", classify());
  const auto result =
      run_program({"export", folder / "run", "--format", "cpp", "-o", folder / "net.h"});
  ASSERT_EQ(result.code, 0) << result.err;
  expect_parts(content_of(folder / "net.h"),
               {"//   in[0]: \"side=left\"\n//   in[1]: \"side=right\"\n//   in[2]: \"x\"\n"
                "//   out[0]: \"down\"\n//   out[1]: \"up\"\n"});
}

}  // namespace
}  // namespace unroll
