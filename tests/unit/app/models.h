// What the tests of the commands that read models share.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "data/idx.h"
#include "nn/model_file.h"
#include "support/expect_parts.h"
#include "support/program.h"
#include "support/small_set.h"
#include "support/specs.h"
#include "train/network.h"
#include "unroll/io/safetensors.h"

namespace unroll::app {

using test::expect_parts;

/// A failure says what is wrong in one line on stderr and nothing on stdout.
inline void expect_failure(const test::ProgramResult& result, int code,
                           const std::vector<std::string>& parts) {
  EXPECT_EQ(result.code, code);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(test::lines_of(result.err).size(), 1u) << result.err;
  expect_parts(result.err, parts);
}

/// A machine with the small set, and models on demand.
struct Models {
  test::TemporaryFolder folder;
  std::string data = folder / "data";
  std::string set = test::write_small_set(folder, "data/mnist");
  std::string images = set + "/t10k-images-idx3-ubyte";

  /// Writes an untrained model; described, or as a bare state_dict.
  std::string write_model(const std::string& name, DType dtype = DType::f32, bool bare = false,
                          std::int64_t layers = 1) const {
    spec::ModelSpec spec = test::rnn_spec(28, 100, 10, layers);
    if (!bare) spec.input = spec::ImageInput{.width = 28, .mean = 0.1307, .std = 0.3081};
    spec.dataset = "mnist";
    Generator generator(7);
    train::Network model(spec, generator, {.dtype = dtype});
    const Parameters parameters = model.parameters();
    if (bare)
      io::write_safetensors(folder / name, nn::views_of(parameters));
    else
      nn::save_model(folder / name, spec, parameters);
    return folder / name;
  }

  /// The 28 lines of numbers that an image of the test set is.
  std::string rows_of(std::int64_t index) const {
    const data::Idx idx = data::read_idx(images, data::Part::images);
    std::string text;
    for (std::int64_t r = 0; r < 28; ++r)
      for (std::int64_t c = 0; c < 28; ++c)
        text += std::to_string(idx.values[static_cast<std::size_t>((index * 28 + r) * 28 + c)]) +
                (c < 27 ? " " : "\n");
    return text;
  }
};

/// Writes a model's file with another description, or other weights.
inline std::string changed(
    const test::TemporaryFolder& folder, const std::string& model,
    const std::function<void(nlohmann::json& description, std::vector<io::ArrayView>&)>& how) {
  const auto file = io::Safetensors::read(model);
  auto metadata = file.metadata();
  nlohmann::json description = nlohmann::json::parse(metadata.at("unroll"));
  std::vector<io::ArrayView> arrays = file.arrays();
  how(description, arrays);
  metadata["unroll"] = description.dump();
  const std::string path = folder / "changed.safetensors";
  io::write_safetensors(path, arrays, metadata);
  return path;
}

}  // namespace unroll::app
