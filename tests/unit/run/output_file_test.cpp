// Outputs that commands refuse to write.
#include <filesystem>

#include "core/file.h"
#include "run/manifest.h"
#include "unit/app/models.h"
#include "unroll/io/npy.h"

namespace unroll::run {
namespace {

using app::expect_failure;
using app::Models;

using Texts = std::vector<std::string>;

/// A model, and a copy of it as a run that is finished.
struct Outputs : testing::Test {
  Models models;
  std::string model = models.write_model("model.safetensors");
  std::string content = test::content_of(model);
  std::string inputs = models.folder / "in.npy";

  Outputs() {
    io::write_npy(inputs, {1, 2, 28}, std::vector<float>(56));
    models.folder.write("run/model.safetensors", content);
    Manifest manifest;
    manifest.status = RunStatus::finished;
    manifest.files["model.safetensors"] = {hash_of(std::as_bytes(std::span(content)))};
    manifest.write(Folder("test", models.folder / "run"));
  }

  std::string run(const std::string& name) const { return models.folder / ("run/" + name); }

  void expect_kept(const Texts& command, const std::string& kept, const std::string& part) const {
    const std::string before = test::content_of(kept);
    expect_failure(test::run_program(command), 2, {part, "name another file"});
    EXPECT_EQ(test::content_of(kept), before);
  }
};

TEST_F(Outputs, WhatIsReadIsNotWrittenOver) {
  const std::string link = models.folder / "link";
  std::filesystem::create_symlink(model, link);
  const std::string hard = models.folder / "hard";
  std::filesystem::create_hard_link(model, hard);
  for (const std::string& out : {model, link, hard, models.folder / "./model.safetensors"})
    for (const char* format : {"npz", "onnx", "cpp"})
      expect_kept({"export", model, "--format", format, "-o", out}, model,
                  "is an input of this command");
  expect_kept({"import", model, "-o", model}, model, "is an input of this command");
  expect_kept({"import", model, "--arch", inputs, "-o", inputs}, inputs,
              "is an input of this command");
  expect_kept({"import", model, "--check", inputs, inputs, "-o", inputs}, inputs,
              "is an input of this command");
  expect_kept({"predict", model, inputs, "--out", inputs}, inputs, "is an input of this command");
  expect_kept({"predict", model, inputs, "--out", model}, model, "is an input of this command");
  expect_kept({"eval", model, "--logits", model}, model, "is an input of this command");
}

TEST_F(Outputs, AFileOfARunIsNotWrittenOver) {
  const std::string link = models.folder / "link";
  std::filesystem::create_symlink(run("model.safetensors"), link);
  const std::string file = run("model.safetensors");
  for (const std::string& out : {file, link})
    expect_kept({"export", models.folder / "run", "--format", "npz", "-o", out}, file,
                "is a file of the run in");
  expect_kept({"export", model, "--format", "npz", "-o", file}, file, "is a file of the run in");
  expect_kept({"export", model, "--format", "npz", "-o", run("manifest.json")},
              run("manifest.json"), "is a file of the run in");
  // Other files may lie in a run's folder, and a manifest.json may be another program's.
  EXPECT_EQ(test::run_program({"export", model, "--format", "npz", "-o", run("model.npz")}).code,
            0);
  models.folder.write("other/manifest.json", "{}");
  EXPECT_EQ(
      test::run_program({"export", model, "--format", "npz", "-o", models.folder / "other/m.npz"})
          .code,
      0);
}

// While a run is training, its manifest lists neither the metrics nor files that are not yet
// written.
TEST_F(Outputs, Trial17_NamesOfARunsFilesAreKeptFree) {
  const Folder folder("test", models.folder / "run");
  Manifest{}.write(folder);
  models.folder.write("run/metrics.jsonl", "lines");
  expect_kept({"export", model, "--format", "npz", "-o", run("metrics.jsonl")},
              run("metrics.jsonl"), "is a file of the run in");
  for (const char* name : {"step_50.safetensors", "checkpoint_7.safetensors", "config.json"}) {
    expect_failure(test::run_program({"export", model, "--format", "npz", "-o", run(name)}), 2,
                   {"is a file of the run in"});
    EXPECT_FALSE(folder.has(name));
  }
}

TEST_F(Outputs, WhatIsNoFileIsLeftAlone) {
  std::filesystem::create_directory(models.folder / "inner");
  expect_failure(
      test::run_program({"export", model, "--format", "npz", "-o", models.folder / "inner"}), 1,
      {"inner is a folder", "name a regular file"});
}

}  // namespace
}  // namespace unroll::run
