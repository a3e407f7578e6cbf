// Files that are something else than what a command reads, named for what they are.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "support/program.h"
#include "unit/app/models.h"
#include "unroll/c.h"
#include "unroll/core/error.h"
#include "unroll/infer/model.h"
#include "unroll/io/npy.h"

namespace unroll::app {
namespace {

using namespace std::string_literals;
using test::run_program;
using Arguments = std::vector<std::string>;

struct Kind {
  std::string content;
  const char* what;
  const char* for_weights;  // the remedy where weights are wanted
};

std::string module_file() {
  return test::content_of(std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/module.pt");
}

std::vector<Kind> kinds() {
  return {{"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 9912422\n",
           "a Git LFS pointer", "git lfs pull"},
          {"<!DOCTYPE html>\n<html></html>\n", "an HTML or XML page", "download it again"},
          {"\x89HDF\r\n\x1a\n\0\0\0\0"s, "an HDF5 file", "save_file"},
          {"\x08\x07\x12\x07pytorch\x1a\x05"s + "2.1.0:", "an ONNX model", "state_dict"},
          {"\x1f\x8b\x08\0\0\0\0\0"s, "a gzip file", "gunzip"},
          {"\x80\2}q\0X\1\0\0\0aq\1]q\2s."s, "a Python pickle", "torch.save(model.state_dict()"},
          {"GGUF\3\0\0\0"s, "a GGUF file", "save_file"},
          {"", "an empty file", "download it again"}};
}

TEST(Trial10, CommandsThatReadModelsNameOtherKinds) {
  const Models models;
  const std::string out = models.folder / "out.onnx";
  auto all = kinds();
  all.push_back({module_file(), "PyTorch", "unroll import"});
  for (const Kind& kind : all) {
    const std::string file = models.folder.write("file", kind.content);
    for (const Arguments& command :
         {Arguments{"eval", file, "--data-dir", models.data}, Arguments{"inspect", file},
          Arguments{"predict", file, models.images},
          Arguments{"export", file, "--format", "onnx", "-o", out}})
      expect_failure(run_program(command), 1, {file + " is ", kind.what, kind.for_weights});
    EXPECT_FALSE(std::filesystem::exists(out));
    // The library and the C interface.
    try {
      infer::Model<float>::load(file);
      ADD_FAILURE() << "loaded";
    } catch (const FormatError& error) {
      expect_parts(error.what(), {file, kind.what, kind.for_weights});
    }
    EXPECT_EQ(unroll_model_load(file.c_str()), nullptr);
    expect_parts(unroll_last_error(), {file, kind.what, kind.for_weights});
  }
}

TEST(Trial10, ImportNamesOtherKinds) {
  const test::TemporaryFolder folder;
  const std::string out = folder / "model.safetensors";
  for (const Kind& kind : kinds()) {
    const std::string file = folder.write("file.pt", kind.content);
    expect_failure(run_program({"import", file, "-o", out}), 1,
                   {file + " is ", kind.what, "expected a .pt of torch.save or a .safetensors",
                    kind.for_weights});
  }
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Trial10, OtherInputsAreNamed) {
  const Models models;
  const std::string lstm = std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/lstm.pt";
  const std::string arch = models.folder.write(
      "lstm.json", R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"},
                                  {"type": "linear", "name": "fc"}]})");
  const std::string model = models.write_model("model.safetensors");
  const std::string array = models.folder / "good.npy", out = models.folder / "out";
  io::write_npy(array, {1, 2, 3}, std::vector<float>(6));
  auto all = kinds();
  all.pop_back();  // what an empty file lacks is said in other words, depending on the reader
  all.push_back({module_file(), "PyTorch", ""});
  for (const Kind& kind : all) {
    const std::string npy = models.folder.write("file.npy", kind.content);
    const std::string json = models.folder.write("file.json", kind.content);
    // An array.
    expect_failure(run_program({"predict", model, npy, "--out", out}), 1, {npy, kind.what});
    expect_failure(run_program({"import", lstm, "--arch", arch, "-o", out, "--check", array, npy}),
                   1, {npy, kind.what});
    // JSON.
    expect_failure(run_program({"import", lstm, "--arch", json, "-o", out}), 1, {json, kind.what});
    expect_failure(run_program({"train", "--config", json, "--data-dir", models.data}), 1,
                   {json, kind.what});
    // The folder of a run.
    expect_failure(run_program({"verify", json}), 1, {json, kind.what, "expected a folder"});
    expect_failure(run_program({"train", "--resume", json}), 1,
                   {json, kind.what, "expected a folder"});
  }
  // Images: gzip is what they may be in.
  for (const Kind& kind : all) {
    if (kind.content.starts_with("\x1f\x8b")) continue;
    const std::string file = models.folder.write("images", kind.content);
    expect_failure(run_program({"predict", model, file}), 1, {file, kind.what});
  }
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Trial10, WholeModulesAndOldFilesAreImported) {
  const test::TemporaryFolder folder;
  const std::string arch =
      folder.write("lstm.json", R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"},
                                  {"type": "linear", "name": "fc"}]})");
  // What PyTorch 2.13 gives, as in import_command_test.cpp.
  const std::string in = folder / "in.npy", out = folder / "out.npy";
  std::vector<float> inputs(12);
  for (std::size_t k = 0; k < inputs.size(); ++k) inputs[k] = static_cast<float>(k) / 4;
  io::write_npy(in, {2, 2, 3}, inputs);
  io::write_npy(out, {2, 2},
                std::vector<float>{-0.0240650177f, 0.0112755802f, -0.0235425979f, 0.0116897477f});
  for (const Arguments& file : {Arguments{"module.pt"},
                                {"old_net.pt", "--key", "net"},
                                {"objects.pt"},
                                {"objects4.pt"},
                                {"layers.pt"},
                                {"deep.pt", "--key", "run.ema"}}) {
    Arguments all = {"import",  "--arch", arch, "-o", folder / "model.safetensors",
                     "--check", in,       out,  "--"};
    all.insert(all.begin() + 1, file.begin() + 1, file.end());
    all.push_back(std::string(UNROLL_SOURCE_DIR) + "/tests/unit/import/files/" + file[0]);
    const auto result = run_program(all);
    EXPECT_EQ(result.code, 0) << file[0] << result.err;
    expect_parts(result.out, {"all 6 tensors used", "within 1e-05"});
  }
}

TEST(Trial12, IgnoredTensorsAreLeftOutAndNamed) {
  const test::TemporaryFolder folder;
  const std::vector<float> values(12);
  const auto data = std::as_bytes(std::span(values));
  const std::vector<io::ArrayView> arrays = {
      {"fc.weight", io::ElementType::f32, {2, 3}, data.first(24)},
      {"fc.bias", io::ElementType::f32, {2}, data.first(8)},
      {"criterion.weight", io::ElementType::f32, {2}, data.first(8)},
      {"val_acc.tp", io::ElementType::i32, {}, data.first(4)}};
  const std::string file = folder / "m.safetensors", out = folder / "out.safetensors";
  io::write_safetensors(file, arrays);
  const std::string arch =
      folder.write("a.json", R"({"layers": [{"type": "linear", "name": "fc"}]})");
  const auto run = [&](Arguments more) {
    Arguments all = {"import", file, "--arch", arch, "-o", out};
    all.insert(all.end(), more.begin(), more.end());
    return run_program(all);
  };
  const auto refused = run({});
  EXPECT_EQ(refused.code, 1);
  expect_parts(refused.err, {"criterion.weight", "val_acc.tp", "--ignore NAME"});
  const auto result = run({"--ignore", "criterion.*", "--ignore", "val_acc.t?"});
  EXPECT_EQ(result.code, 0) << result.err;
  expect_parts(result.err, {"ignored 2 of the tensors: criterion.weight, val_acc.tp"});
  EXPECT_TRUE(std::filesystem::exists(out));
  expect_failure(run({"--ignore", "criterion", "--ignore", "val*"}), 2,
                 {"--ignore criterion", "no tensor"});
}

}  // namespace
}  // namespace unroll::app
