// A run's folder beside files of other people's, with links in it, and renamed.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "run/run_folder.h"
#include "support/child_process.h"
#include "support/expect_error.h"
#include "support/file_faults.h"
#include "support/program.h"
#include "support/temporary_folder.h"
#include "unit/run/made_up_run.h"
#include "unroll/core/error.h"

namespace unroll::run {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::FileFaults;
using test::TemporaryFolder;
using Files = std::set<std::string>;

void end_after(RunFolder& run, RunStatus status, std::int64_t step) {
  const std::string model = "the model";
  run.end(status, step, std::as_bytes(std::span(model)));
}

/// A run that was interrupted after two steps, with a checkpoint of each.
void make_interrupted_run(const std::string& path) {
  RunFolder run = make_run(path);
  run.begin({});
  for (const int step : {1, 2}) {
    run.log({step, 0.5, 2});
    run.save_checkpoint(checkpoint_after(step));
  }
  end_after(run, RunStatus::interrupted, 2);
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
}

TEST(Trial17, AFolderWithFilesOfTheUsersIsRefused) {
  for (const char* name :
       {"checkpoint_100.safetensors", "weights.tmp-230101", "metrics.jsonl", "manifest.json",
        "step_1.safetensors", "notes.txt", ".hidden", "config.json.tmp-230101",
        "manifest.json.tmp-230101", "model.safetensors.tmp-230101"}) {
    const TemporaryFolder folder;
    folder.write(std::string("run/") + name, "mine\n");
    const auto before = fs::last_write_time(folder / "run");
    const std::string text = error_of<ValueError>([&] { make_run(folder / "run"); });
    expect_part(text, "--out " + folder / "run is not empty: " + name);
    expect_part(error_of<ValueError>([&] { check_is_free(folder / "run"); }), name);
    EXPECT_EQ(test::files_in(folder / "run"), Files{name});
    EXPECT_EQ(test::content_of(folder / ("run/" + std::string(name))), "mine\n");
    EXPECT_EQ(fs::last_write_time(folder / "run"), before);
  }
  const TemporaryFolder folder;
  fs::create_directories(folder / "run/inner");
  expect_part(error_of<ValueError>([&] { make_run(folder / "run"); }), "inner is in it");
  fs::create_directory(folder / "links");
  fs::create_symlink("nowhere", folder / "links/link");
  expect_part(error_of<ValueError>([&] { make_run(folder / "links"); }), "link is in it");
  folder.write("file", "mine\n");
  expect_part(error_of<ValueError>([&] { make_run(folder / "file"); }), "is not a folder");
}

TEST(Trial17, AnEmptyFolderAndOneBehindALinkAreUsed) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "real");
  fs::create_symlink("real", folder / "link");
  make_run(folder / "link").begin({});
  EXPECT_EQ(test::files_in(folder / "real"),
            (Files{"config.json", "manifest.json", "metrics.jsonl"}));
}

/// A new run until its first checkpoint, in a child that may be killed.
std::string start_with(const std::string& path, const FileFaults::Plan& plan) {
  return test::ChildProcess([&] {
           const FileFaults faults(plan);
           RunFolder run = make_run(path);
           run.begin({});
           run.log({1, 0.5, 2});
           run.save_checkpoint(checkpoint_after(1));
           return std::to_string(faults.calls().size());
         })
      .wait();
}

// Started again or resumed, whichever the folder allows: it must be one of the two, and both say
// what they can't do before they change anything.
TEST(Trial17, AStartThatWasKilledAnywhereCanBeMadeAgain) {
  const TemporaryFolder none;
  const int calls = std::stoi(start_with(none / "run", {}));
  EXPECT_GT(calls, 35);
  int again = 0, resumed = 0, from_checkpoint = 0;
  for (int at = 0; at < calls; ++at) {
    SCOPED_TRACE(at);
    const TemporaryFolder folder;
    const std::string path = folder / "run";
    ASSERT_EQ(start_with(path, {.at = static_cast<std::size_t>(at), .kill = true}), "signal 9");
    const bool has_config = fs::exists(path + "/config.json");
    std::optional<RunFolder> run;
    if (has_config) {
      EXPECT_THROW(make_run(path), ValueError);
      run.emplace(path);
      EXPECT_TRUE(run->config_is_intact());
    } else {
      EXPECT_THROW(RunFolder{path}, FileError);
      run.emplace(path, train::recipe("tuned"), train::Provenance{}, "made up");
    }
    ++(has_config ? resumed : again);
    const auto checkpoint = run->last_checkpoint();
    from_checkpoint += checkpoint.has_value();
    run->begin(checkpoint);
    end_after(*run, RunStatus::finished, 1);
    Files expected = {"config.json", "manifest.json", "metrics.jsonl", "model.safetensors"};
    if (checkpoint) expected.insert("checkpoint_1.safetensors");
    EXPECT_EQ(test::files_in(path), expected);
    const Folder opened("test", path);
    EXPECT_TRUE(Manifest::read(opened)->damage(opened).empty());
  }
  EXPECT_GT(again, 3);
  EXPECT_GT(resumed, 20);
  EXPECT_GT(from_checkpoint, 5);
}

TEST(Trial17, ResumingRemovesOnlyWhatTheManifestLists) {
  const TemporaryFolder folder;
  make_interrupted_run(folder / "run");
  const Files strange = {"weights.tmp-230101",
                         "notes.txt",
                         "step_best.safetensors",
                         "metrics.jsonl.tmp-230101",
                         "step_9.safetensors.tmp-abcdef",
                         "checkpoint_1.safetensors.tmp-abc"};
  for (const std::string& name : strange) folder.write("run/" + name, "mine");
  for (const char* name : {"model.safetensors", "checkpoint_2.safetensors", "manifest.json"})
    folder.write("run/" + std::string(name) + ".tmp-abcdef", "half");
  RunFolder run(folder / "run");
  run.begin(run.last_checkpoint());
  Files expected = strange;
  expected.insert({"config.json", "manifest.json", "metrics.jsonl", "model.safetensors",
                   "checkpoint_1.safetensors", "checkpoint_2.safetensors"});
  EXPECT_EQ(test::files_in(folder / "run"), expected);
  for (const std::string& name : strange)
    EXPECT_EQ(test::content_of(folder / ("run/" + name)), "mine") << name;
}

TEST(Trial17, AFileUnderANameOfTheRunsIsNotReplaced) {
  for (const char* name : {"checkpoint_100.safetensors", "step_3.safetensors"}) {
    const TemporaryFolder folder;
    make_interrupted_run(folder / "run");
    folder.write(std::string("run/") + name, "mine");
    const Files before = test::files_in(folder / "run");
    const std::string text = error_of<FormatError>([&] { RunFolder(folder / "run"); });
    expect_part(text, std::string(name) + " is not this run's");
    expect_part(text, "move it to another folder");
    EXPECT_EQ(test::files_in(folder / "run"), before);
  }
  // One that comes while the run goes on.
  const TemporaryFolder folder;
  RunFolder run = make_run(folder / "run");
  run.begin({});
  folder.write("run/step_3.safetensors", "mine");
  expect_part(error_of<FileError>([&] { run.save("step_3.safetensors", {}); }),
              "step_3.safetensors is not this run's");
  EXPECT_EQ(test::content_of(folder / "run/step_3.safetensors"), "mine");
}

TEST(Trial17, WithoutAManifestNoFileIsTakenForTheRuns) {
  for (const char* name : {"metrics.jsonl", "checkpoint_1.safetensors", "mine.safetensors"}) {
    const TemporaryFolder folder;
    make_interrupted_run(folder / "first");
    fs::create_directory(folder / "run");
    fs::copy(folder / "first/config.json", folder / "run/config.json");
    folder.write(std::string("run/") + name, "mine");
    const std::string text = error_of<FormatError>([&] { RunFolder(folder / "run"); });
    expect_part(text, "has no manifest.json");
    expect_part(text, name);
    EXPECT_EQ(test::content_of(folder / ("run/" + std::string(name))), "mine");
  }
}

/// Puts a link to a copy, or a pipe, in place of a file.
void replace_by(bool link, const TemporaryFolder& folder, const std::string& name) {
  fs::rename(folder / ("run/" + name), folder / "victim");
  if (link)
    fs::create_symlink("../victim", folder / ("run/" + name));
  else
    ASSERT_EQ(::mkfifo((folder / ("run/" + name)).c_str(), 0600), 0);
}

TEST(Trial18, ARunsFolderHasOnlyRegularFiles) {
  for (const bool link : {true, false})
    for (const char* name : {"config.json", "manifest.json", "metrics.jsonl", "model.safetensors",
                             "checkpoint_1.safetensors", "checkpoint_2.safetensors"}) {
      const TemporaryFolder folder;
      make_interrupted_run(folder / "run");
      replace_by(link, folder, name);
      const std::string content = test::content_of(folder / "victim");
      const Files before = test::files_in(folder / "run");
      const std::string text = error_of<FileError>([&] { RunFolder(folder / "run"); });
      expect_part(text, std::string(name) + (link ? " is a symbolic link" : " is a pipe"));
      EXPECT_EQ(test::content_of(folder / "victim"), content) << name;
      EXPECT_EQ(test::files_in(folder / "run"), before);
      // A manifest alone.
      const Folder opened("test", folder / "run");
      if (name == std::string(Manifest::file_name)) {
        EXPECT_THROW(Manifest::read(opened), FileError);
        continue;
      }
      const auto manifest = Manifest::read(opened).value();
      EXPECT_THROW(manifest.load(opened, name), FileError);
      EXPECT_FALSE(manifest.is_intact(opened, name));
      expect_part(manifest.damage(opened).at(name), "can't be read");
    }
}

TEST(Trial22, ARunGoesOnInItsFolderWhenThatIsRenamed) {
  const TemporaryFolder folder;
  RunFolder run = make_run(folder / "run");
  run.begin({});
  run.log({1, 0.5, 2});
  run.save_checkpoint(checkpoint_after(1));
  fs::rename(folder / "run", folder / "moved");
  // Another run begins under the name.
  make_interrupted_run(folder / "run");
  const Files others = test::files_in(folder / "run");
  const std::string manifest = test::content_of(folder / "run/manifest.json");
  for (const int step : {2, 3}) {
    run.log({step, 0.5, 2});
    run.save_checkpoint(checkpoint_after(step));
  }
  end_after(run, RunStatus::finished, 3);
  EXPECT_EQ(test::files_in(folder / "run"), others);
  EXPECT_EQ(test::content_of(folder / "run/manifest.json"), manifest);
  const Folder moved("test", folder / "moved"), other("test", folder / "run");
  for (const Folder* each : {&moved, &other})
    EXPECT_TRUE(Manifest::read(*each)->damage(*each).empty()) << each->path();
  EXPECT_EQ(test::lines_of(test::content_of(folder / "moved/metrics.jsonl")).size(), 3u);
  EXPECT_TRUE(moved.has("checkpoint_3.safetensors"));
  // What is said at the end names where it is.
  EXPECT_EQ(run.path(), fs::canonical(folder / "moved").string());
}

TEST(Trial22, ARunWhoseFolderIsRemovedWritesNowhereElse) {
  const TemporaryFolder folder;
  RunFolder run = make_run(folder / "run");
  run.begin({});
  fs::remove_all(folder / "run");
  folder.write("run/notes.txt", "mine");
  EXPECT_THROW(run.save_checkpoint(checkpoint_after(1)), FileError);
  EXPECT_EQ(test::files_in(folder / "run"), Files{"notes.txt"});
  EXPECT_EQ(run.write_error(), ENOENT);
}

}  // namespace
}  // namespace unroll::run
