// Whole runs of the program among other people's files and habits.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>

#include "run/manifest.h"
#include "support/expect_parts.h"
#include "support/file_faults.h"
#include "support/small_run.h"

namespace unroll {
namespace {

namespace fs = std::filesystem;
using test::SmallRun;
using Texts = std::vector<std::string>;

using test::expect_parts;

TEST(Trial17, OutKeepsTheUsersFiles) {
  const SmallRun runs;
  const Texts names = {"checkpoint_100.safetensors", "weights.tmp-230101", "metrics.jsonl",
                       "manifest.json"};
  for (const std::string& name : names) runs.folder.write("mine/" + name, "mine\n");
  // Before the data is looked for: there is none here.
  const auto result = test::run_program(
      {"train", "mnist", "--data-dir", runs.folder / "none", "--out", runs.folder / "mine"});
  EXPECT_EQ(result.code, 2);
  EXPECT_EQ(result.out, "");
  expect_parts(result.err, {runs.folder / "mine is not empty", "an empty one"});
  EXPECT_EQ(test::files_in(runs.folder / "mine"),
            std::set<std::string>(names.begin(), names.end()));
  for (const std::string& name : names)
    EXPECT_EQ(test::content_of(runs.folder / ("mine/" + name)), "mine\n") << name;
  // Nor does --resume take it for a run.
  EXPECT_EQ(test::run_program({"train", "--resume", runs.folder / "mine"}).code, 1);
  EXPECT_EQ(test::files_in(runs.folder / "mine"),
            std::set<std::string>(names.begin(), names.end()));
}

TEST(Trial18, ALinkInAReceivedRunIsNotEmptied) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "3"}).code, 0);
  runs.folder.write("victim", "precious\n");
  const auto resume = [&](const std::string& out) {
    return test::run_program(
        {"train", "--resume", runs.folder / out, "--data-dir", runs.data_dir, "--quiet"});
  };
  // Killed before its manifest was written.
  fs::create_directory(runs.folder / "young");
  fs::copy(runs.folder / "run/config.json", runs.folder / "young/config.json");
  fs::create_symlink("../victim", runs.folder / "young/metrics.jsonl");
  EXPECT_EQ(resume("young").code, 1);
  // Killed before its first checkpoint.
  {
    const Folder folder("test", runs.folder / "run");
    auto manifest = run::Manifest::read(folder).value();
    manifest.status = run::RunStatus::training;
    manifest.files.erase("metrics.jsonl");
    manifest.write(folder);
  }
  fs::remove(runs.folder / "run/metrics.jsonl");
  fs::create_symlink("../victim", runs.folder / "run/metrics.jsonl");
  const auto result = resume("run");
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"metrics.jsonl is a symbolic link"});
  EXPECT_EQ(test::content_of(runs.folder / "victim"), "precious\n");
}

TEST(Trial18, NoCommandReadsARunsFileOverALink) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "3"}).code, 0);
  const std::string run = runs.folder / "run";
  for (const char* name : {"model.safetensors", "manifest.json"}) {
    const std::string file = run + "/" + name;
    fs::rename(file, runs.folder / "behind");
    fs::create_symlink("../behind", file);
    for (const Texts& command :
         {Texts{"eval", run, "--data-dir", runs.data_dir}, Texts{"predict", run},
          Texts{"inspect", run}, Texts{"inspect", run + "/model.safetensors"},
          Texts{"export", run, "--format", "npz", "-o", runs.folder / "out"},
          Texts{"verify", run, "--data-dir", runs.data_dir}}) {
      const auto result = test::run_program(command);
      EXPECT_EQ(result.code, 1) << command[0] << name;
      expect_parts(result.out + result.err, {std::string(name) + " is a symbolic link"});
    }
    fs::remove(file);
    fs::rename(runs.folder / "behind", file);
  }
  // A link to a run's folder, and a link outside of any run, are as good as what they lead to.
  fs::create_directory_symlink("run", runs.folder / "latest");
  fs::copy(run + "/model.safetensors", runs.folder / "copy");
  fs::create_symlink("copy", runs.folder / "model");
  for (const char* model : {"latest", "model"})
    EXPECT_EQ(test::run_program({"inspect", runs.folder / model}).code, 0) << model;
}

// Ended after 60 s, should it wait for somebody to write into the pipe.
TEST(Trial18, APipeIsRefusedByItsKindWhereverAFileIsRead) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "3"}).code, 0);
  const std::string run = runs.folder / "run", model = run + "/model.safetensors",
                    pipe = runs.folder / "pipe", out = runs.folder / "out";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto expect_refused = [&](const Texts& command, const std::string& name) {
    const auto result =
        test::run_program(command, {.script = R"(exec timeout -s KILL 60 "$0" "$@")"});
    EXPECT_EQ(result.code, 1) << command[0] << "\n" << result.err;
    expect_parts(result.out + result.err, {name + " is a pipe"});
  };
  const std::string pt = std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/lstm.pt";
  for (const Texts& command :
       {Texts{"inspect", pipe}, Texts{"eval", pipe, "--data-dir", runs.data_dir},
        Texts{"predict", pipe}, Texts{"predict", model, pipe, "--index", "0"},
        Texts{"export", pipe, "--format", "onnx", "-o", out}, Texts{"import", pipe, "-o", out},
        Texts{"import", pt, "--arch", pipe, "-o", out},
        Texts{"train", "mnist", "--config", pipe, "--out", out},
        Texts{"export", model, "--format", "npz", "-o", pipe}})
    expect_refused(command, pipe);
  fs::rename(pipe, runs.folder / "in.pipe.npy");
  expect_refused({"predict", model, runs.folder / "in.pipe.npy", "--out", out}, "in.pipe.npy");
  // A data set, and the files of a run.
  for (const char* name : {"train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}) {
    const std::string file = runs.mnist + "/" + name;
    fs::rename(file, file + ".kept");
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    expect_refused({"train", "mnist", "--data-dir", runs.data_dir, "--out", out}, name);
    expect_refused({"data", "info", "mnist", "--data-dir", runs.data_dir}, name);
    fs::remove(file);
    fs::rename(file + ".kept", file);
  }
  for (const char* name : {"model.safetensors", "manifest.json", "config.json", "metrics.jsonl"}) {
    const std::string file = run + "/" + name;
    fs::rename(file, runs.folder / "kept");
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    expect_refused({"verify", run, "--data-dir", runs.data_dir}, name);
    expect_refused({"train", "--resume", run, "--data-dir", runs.data_dir}, name);
    fs::remove(file);
    fs::rename(runs.folder / "kept", file);
  }
  EXPECT_FALSE(fs::exists(out));
}

TEST(Trial21, ALimitOfTheSizeOfFilesEndsTrainingLikeAFullDisk) {
  const SmallRun runs;
  const auto result =
      runs.train("run", {"--steps", "3"}, {.script = R"(ulimit -f 10; exec "$0" "$@")"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"can't write " + runs.folder / "run/model.safetensors",
                            "File too large", "Make room", "--resume"});
  EXPECT_EQ(test::files_in(runs.folder / "run"),
            (std::set<std::string>{"config.json", "manifest.json", "metrics.jsonl"}));
}

TEST(Trial21, ALimitOfTheSizeOfStdoutIsSaid) {
  const auto result =
      test::run_program({"manual"}, {.script = R"(ulimit -f 1; exec "$0" "$@" > out)"});
  EXPECT_EQ(result.code, 1);
  expect_parts(result.err, {"File too large"});
}

// The folder gets another name while the run goes on, and another run gets the old one.
TEST(Trial22, TwoRunsDoNotMixWhenAFolderIsRenamed) {
  const SmallRun runs;
  test::Program first(runs.train_arguments(
      "run",
      {"--hidden", "8", "--steps", "100000", "--eval-every", "5", "--checkpoint-every", "10"}));
  first.wait_for_output("Iteration: 20,");
  fs::rename(runs.folder / "run", runs.folder / "it's moved");
  ASSERT_EQ(runs.train("run", {"--steps", "30", "--checkpoint-every", "7", "--seed", "5"}).code, 0);
  first.wait_for_output("Iteration: 60,");
  first.send_signal(SIGINT);
  const auto result = first.finish();
  EXPECT_EQ(result.code, 130) << result.err;
  const std::string moved = fs::canonical(runs.folder / "it's moved").string();
  expect_parts(result.err,
               {"--resume '" + moved.substr(0, moved.rfind("'s")), moved + "/model.safetensors"});
  for (const char* out : {"run", "it's moved"}) {
    const auto verified =
        test::run_program({"verify", runs.folder / out, "--data-dir", runs.data_dir});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  }
}

TEST(Trial22, OutputsKeepTheModeOfWhatTheyReplace) {
  const SmallRun runs;
  ASSERT_EQ(runs.train("run", {"--steps", "3"}).code, 0);
  const std::string out = runs.folder.write("out", "old");
  ASSERT_EQ(::chmod(out.c_str(), 0640), 0);
  const std::string long_name = runs.folder / std::string(255, 'n');
  for (const std::string& path : {out, long_name})
    for (const char* format : {"npz", "onnx"}) {
      const auto result =
          test::run_program({"export", runs.folder / "run", "--format", format, "-o", path});
      EXPECT_EQ(result.code, 0) << result.err;
    }
  EXPECT_EQ(fs::status(out).permissions(), fs::perms(0640));
}

}  // namespace
}  // namespace unroll
