// Readers of files of one kind: safetensors, JSON, npy, names in messages.
#include <fmt/format.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/folder.h"
#include "core/json.h"
#include "core/list_text.h"
#include "core/suggest.h"
#include "cost/growth.h"
#include "export/cpp_text.h"
#include "export/weights.h"
#include "io/safetensors_header.h"
#include "report/roles.h"
#include "run/manifest.h"
#include "run/metrics_log.h"
#include "run/samples.h"
#include "run/tfrecord.h"
#include "train/checkpoint.h"
#include "train/config.h"
#include "unroll/io/npy.h"
#include "unroll/io/safetensors.h"
#include "unroll/spec/model_spec.h"

namespace unroll {
namespace {

using test::expect_linear;
using test::Reading;
using test::reading;

// A tree of JSON is larger than its text, which is at most 1 MiB; a manifest's is held twice.
constexpr double kTreeMemory = 60;

/// A safetensors file of arrays without elements, which the name of each is all there is to.
std::vector<std::byte> safetensors_of(const std::vector<std::string>& names,
                                      const std::string& metadata = "") {
  std::string header = "{" + metadata;
  for (const std::string& name : names)
    header += fmt::format("{}\"{}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                          header.size() > 1 ? "," : "", name);
  header += "}";
  const std::uint64_t length = header.size();
  std::vector<std::byte> bytes(sizeof length + header.size());
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memcpy(bytes.data() + sizeof length, header.data(), header.size());
  return bytes;
}

std::vector<std::string> numbered(std::size_t n, const std::string& before,
                                  const std::string& after = "") {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < n; ++i) names.push_back(fmt::format("{}{}{}", before, i, after));
  return names;
}

std::string repeated(std::size_t n, const std::string& text) {
  std::string all;
  for (std::size_t i = 0; i < n; ++i) all += (i == 0 ? "" : ",") + text;
  return all;
}

template <class F>
std::string refusal(F&& read) {
  try {
    read();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Trial20, ManyTensorsAreReadAndFound) {
  expect_linear(
      2000,
      [](std::size_t n) {
        const auto names = numbered(n, "rnn.weight_");
        const auto bytes = safetensors_of(names);
        return reading(bytes.size(), [&] {
          const auto file = io::Safetensors::parse(bytes, "FILE");
          for (const std::string& name : names)
            if (!file.find(name)) std::abort();
        });
      },
      60);
}

TEST(Trial20, LongNamesOfTensors) {
  expect_linear(
      100,
      [](std::size_t n) {
        const auto bytes = safetensors_of(numbered(n, std::string(900, 'a')));
        return reading(bytes.size(), [&] { io::Safetensors::parse(bytes, "FILE"); });
      },
      40);
}

TEST(Trial20, LimitsOfSafetensorsAreSaidAsLimits) {
  const auto said = [](const std::vector<std::byte>& bytes) {
    return refusal([&] { io::Safetensors::parse(bytes, "FILE"); });
  };
  EXPECT_EQ(said(safetensors_of(numbered(131'072, "a"))), "");
  const std::string many = said(safetensors_of(numbered(131'073, "a"))),
                    longest = said(safetensors_of({std::string(1024, 'a')})),
                    longer = said(safetensors_of({std::string(1025, 'a')})),
                    keys = said(safetensors_of(
                        {}, "\"__metadata__\":{" + [] {
                          std::string all;
                          for (int i = 0; i < 4097; ++i)
                            all += fmt::format("{}\"{}\":\"\"", i ? "," : "", i);
                          return all;
                        }() + "}"));
  EXPECT_TRUE(many.starts_with("[safetensors] FILE: it has more tensors than the limit of 131072;"))
      << many;
  EXPECT_EQ(longest, "");
  EXPECT_NE(longer.find("has 1025 bytes, more than the limit of 1024"), std::string::npos)
      << longer;
  EXPECT_NE(keys.find("metadata has more keys than the limit of 4096"), std::string::npos) << keys;
  for (const auto& text : {many, longer, keys})
    EXPECT_EQ(text.find("damaged"), std::string::npos) << text;
}

TEST(Trial20, JsonListsOfObjects) {
  for (const char* element : {"{}", "[]", "{\"a\":{\"b\":[0,{}]}}", "0"})
    expect_linear(
        2000,
        [&](std::size_t n) {
          const std::string text = "[" + repeated(n, element) + "]";
          return reading(text.size(), [&] { parse_json(text, [](std::string_view) {}); });
        },
        150, kTreeMemory);
}

TEST(Trial20, DescriptionsAndConfigurations) {
  spec::ModelSpec model;
  model.input = spec::ImageInput{.height = 28, .width = 28};
  expect_linear(
      2000,
      [&](std::size_t n) {
        spec::ModelSpec wide = model;
        wide.layers = {spec::LinearSpec{"fc", 28, static_cast<std::int64_t>(n)}};
        wide.classes = numbered(n, "class");
        const std::string text = spec::to_json(wide);
        return reading(text.size(), [&] { spec::from_json(text); });
      },
      150, kTreeMemory);
  expect_linear(
      400,
      [&](std::size_t n) {
        const std::string text =
            R"({"version":3,"layers":[)" + repeated(n, R"({"type":"flatten"})") + "]}";
        return reading(text.size(), [&] { spec::from_json(text); });
      },
      150, kTreeMemory);
  expect_linear(
      400,
      [](std::size_t n) {
        const std::string text = R"({"settings":{"save_at":[)" + repeated(n, "1000") + "]}}";
        return reading(text.size(), [&] { train::config_from_json(text, "config.json"); });
      },
      150, kTreeMemory);
}

TEST(Trial20, TheStateInACheckpoint) {
  const auto of = [](const std::string& state) {
    return safetensors_of(
        {}, fmt::format("\"__metadata__\":{{\"{}\":\"{}\"}}", train::checkpoint_key, state));
  };
  expect_linear(
      2000,
      [&](std::size_t n) {
        const auto bytes = of("[" + repeated(n, "{}") + "]");
        return reading(bytes.size(), [&] { train::checkpoint_from(bytes, "FILE"); });
      },
      150, kTreeMemory);
  const std::string long_one =
      refusal([&] { train::checkpoint_from(of("[" + repeated(1 << 20, "0") + "]"), "FILE"); });
  EXPECT_NE(long_one.find("its state has 2097153 bytes, expected at most 1048576"),
            std::string::npos)
      << long_one;
}

/// A file that goes away.
class Scratch {
 public:
  Scratch() {
    std::string name = std::filesystem::temp_directory_path() / "unroll-cost-XXXXXX";
    if (!::mkdtemp(name.data())) std::abort();
    folder_ = name;
  }
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  std::string write(const std::string& name, std::string_view content) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

TEST(Trial20, Manifests) {
  const Scratch scratch;
  expect_linear(
      2000,
      [&](std::size_t n) {
        const std::string text = "{\"files\":[" + repeated(n, "{}") + "]}";
        scratch.write("manifest.json", text);
        return reading(text.size(), [&] { run::Manifest::read(Folder("test", scratch.folder())); });
      },
      200, kTreeMemory);
  expect_linear(
      200,
      [&](std::size_t n) {
        run::Manifest manifest;
        for (const std::string& name : numbered(n, "step_", ".safetensors"))
          manifest.files[name] = {{0, std::string(64, '0')}};
        manifest.write(Folder("test", scratch.folder()));
        const std::size_t size = std::filesystem::file_size(scratch.folder() + "/manifest.json");
        return reading(size, [&] {
          if (!run::Manifest::read(Folder("test", scratch.folder()))) std::abort();
        });
      },
      150, kTreeMemory);
}

TEST(Trial20, RecordsOfEvents) {
  const Scratch scratch;
  expect_linear(
      2000,
      [&](std::size_t n) {
        std::string text;
        for (std::size_t i = 0; i < n; ++i) text += run::tfrecord("an event");
        scratch.write("events", text);
        return reading(text.size(), [&] {
          const InputFile file("test", scratch.folder() + "/events");
          if (run::size_of_records(file, n) != text.size()) std::abort();
        });
      },
      10);
}

TEST(Trial20, LinesOfMetrics) {
  expect_linear(
      500,
      [&](std::size_t n) {
        std::string text;
        for (std::size_t i = 0; i < n; ++i)
          text += R"({"event":"step","step":1,"loss":2.5,"grad_norm":3,"epoch":1,"lr":0.1})"
                  "\n";
        return reading(text.size(), [&] {
          if (run::read_metrics_log(text, "metrics.jsonl").steps.size() != n) std::abort();
        });
      },
      150, kTreeMemory);
  expect_linear(
      500,
      [&](std::size_t n) {
        const std::string text =
            R"({"event":"eval","step":1,"loss":2,"inside":{"times":[1],"layers":[)" +
            repeated(n, R"({"name":"rnn","dead":0.5,"gradient":[1]})") + "]}}\n";
        return reading(text.size(), [&] {
          if (run::read_metrics_log(text, "x").tests.at(0).inside->layers.size() != n) std::abort();
        });
      },
      150, kTreeMemory);
}

TEST(Trial20, SamplesOfARun) {
  expect_linear(
      500,
      [&](std::size_t n) {
        run::Samples samples;
        samples.indices.assign(n, 0);
        samples.losses.assign(n, 0);
        samples.inputs = Tensor::zeros({static_cast<std::int64_t>(n), 4});
        samples.outputs = Tensor::zeros({static_cast<std::int64_t>(n), 2});
        samples.targets = Tensor::zeros({static_cast<std::int64_t>(n)}, DType::i64);
        samples.classes.assign(n, "a class");
        const std::vector<std::byte> bytes = run::to_bytes(samples);
        return reading(bytes.size(), [&] {
          if (run::samples_from(bytes, "samples").indices.size() != n) std::abort();
        });
      },
      150, kTreeMemory);
}

TEST(Trial20, ArraysOfManyDimensions) {
  const Scratch scratch;
  expect_linear(
      1000,
      [&](std::size_t n) {
        std::string header =
            "{'descr': '<f4', 'fortran_order': True, 'shape': (2, " + std::to_string(n) + ", 2";
        for (int i = 0; i < 61; ++i) header += ", 1";
        header += "), }\n";
        const std::string file = std::string("\x93NUMPY\x01\x00", 8) +
                                 static_cast<char>(header.size() & 0xff) +
                                 static_cast<char>(header.size() >> 8) + header +
                                 std::string(n * 4 * sizeof(float), '\0');
        const std::string path = scratch.write("x.npy", file);
        return reading(file.size(), [&] {
          if (io::read_npy(path).shape.size() != 64) std::abort();
        });
      },
      5);
}

TEST(Trial20, SuggestionsFromManyOrLongNames) {
  const std::string given = std::string(80, 'x');
  for (const std::size_t length : {40, 80, 4000})
    expect_linear(
        40'000 / length * 10,
        [&](std::size_t n) {
          const auto names = numbered(n, std::string(length - 8, 'y'));
          const std::vector<std::string_view> views(names.begin(), names.end());
          return reading(n * length, [&] { did_you_mean(given, views); });
        },
        20);
  // And there is still one of many.
  auto names = numbered(100'000, std::string(100, 'y'));
  names.push_back("output_layer");
  const std::vector<std::string_view> views(names.begin(), names.end());
  EXPECT_EQ(did_you_mean("outptu_layer", views), "; did you mean output_layer?");
}

TEST(Trial20, ErrorsAreShort) {
  for (const std::size_t length : {8'192, 8'193, 1'000'000}) {
    const std::string text = "FILE: " + std::string(length - 6 - 8, 'a') + "; remedy";
    ASSERT_EQ(text.size(), length);
    const std::string said = FormatError("x", text).what();
    EXPECT_LT(said.size(), 8'300u);
    EXPECT_TRUE(said.starts_with("[x] FILE: aaa"));
    EXPECT_TRUE(said.ends_with("a; remedy"));
    EXPECT_EQ(said.find("bytes left out") != std::string::npos, length > 8'192);
  }
  // Characters stay whole: 3 bytes of UTF-8 each.
  for (int shift = 0; shift < 3; ++shift) {
    std::string text(shift, 'a');
    for (int i = 0; i < 5000; ++i) text += "\u2192";
    EXPECT_EQ(std::string_view(FormatError("x", text).what()).find("\\x"), std::string_view::npos);
  }
  // Control characters are spelt out, which makes them longer.
  EXPECT_LT(std::strlen(FormatError("x", std::string(1'000'000, '\x1b')).what()), 40'000u);
}

TEST(Trial20, ListsEndWithHowManyMore) {
  ListText list;
  EXPECT_TRUE(list.empty());
  for (int i = 1; i <= 64; ++i) list.add(std::to_string(i));
  EXPECT_TRUE(list.text("; ").ends_with("; 63; 64"));
  for (int i = 65; i <= 1298; ++i) list.add(std::to_string(i));
  EXPECT_TRUE(list.text().ends_with(", 63, 64 and 1234 more")) << list.text();
  expect_linear(
      1000,
      [](std::size_t n) {
        std::map<std::string, spec::Sizes> weights;
        for (const std::string& name : numbered(n, "left.over.")) weights[name] = {1};
        spec::ModelSpec model;
        return reading(n * 60, [&] { spec::differences(model, weights); });
      },
      60);
}

TEST(Trial20, WhatAnImportOfNamesAndShapesTells) {
  // As many recurrent layers as there are names, or linear ones, or linear ones beside many
  // recurrent ones.
  const auto read = [](const std::vector<std::string>& names, const spec::Sizes& shape) {
    std::map<std::string, spec::Sizes> weights;
    std::size_t size = 0;
    for (const std::string& name : names) {
      weights[name] = shape;
      size += name.size() + 50;  // of a header
    }
    return reading(size, [&] { spec::from_weights(weights, {}); });
  };
  expect_linear(
      500,
      [&](std::size_t n) {
        return read(numbered(n, "a", ".weight_ih_l0"), {4, 4});
      },
      5);
  expect_linear(
      500,
      [&](std::size_t n) {
        return read(numbered(n, "a", ".weight"), {4, 4});
      },
      60);
  expect_linear(
      2000,
      [&](std::size_t n) {
        auto names = numbered(n, "b", ".weight");
        for (const std::string& name : numbered(256, "a", ".weight_ih_l0")) names.push_back(name);
        return read(names, {4, 4});
      },
      40);
}

TEST(Trial20, ALimitOfLayersIsNamed) {
  std::map<std::string, spec::Sizes> weights;
  for (const std::string& name : numbered(20'000, "a", ".weight_ih_l0")) weights[name] = {4, 4};
  EXPECT_EQ(
      refusal([&] { spec::from_weights(weights, {}); }),
      "[model] can't tell the architecture from the weights: 20000 recurrent layers, expected "
      "at most 256");
}

spec::ModelSpec stack(std::int64_t layers, bool layer_norm = true) {
  spec::RecurrentSpec r;
  r.cell = spec::Cell::lstm;
  r.input_size = r.hidden_size = 1;
  r.num_layers = layers;
  r.bidirectional = true;
  r.layer_norm = layer_norm;
  spec::ModelSpec model;
  model.layers = {r};
  return model;
}

TEST(Trial20, RolesOfTheWeightsOfManyLayers) {
  expect_linear(
      100,
      [](std::size_t n) {
        const spec::ModelSpec model = stack(static_cast<std::int64_t>(n));
        const auto weights = spec::weights_of(model);
        return reading(weights.size() * 100, [&] {
          const auto roles = report::roles_of(model);
          for (const auto& [name, shape] : weights)
            if (!roles.contains(name)) std::abort();
        });
      },
      60);
}

TEST(Trial20, WeightsOfAnExport) {
  expect_linear(
      2000,
      [](std::size_t n) {
        std::vector<io::ArrayView> arrays;
        for (const std::string& name : numbered(n, "rnn.weight_ih_l"))
          arrays.push_back({name, io::ElementType::f32, {0}, {}});
        return reading(n * 70, [&] {
          const exporter::Weights weights(arrays);
          for (const io::ArrayView& array : arrays) weights(array.name);
        });
      },
      60);
  expect_linear(
      500,
      [](std::size_t n) {
        return reading(n * 70, [&] {
          exporter::CppNames names;
          for (std::size_t i = 0; i < n; ++i) names.unique("rnn.weight");
        });
      },
      60);
  // And the names are the ones that they were.
  exporter::CppNames names;
  std::string all;
  for (const char* name : {"a", "a.2", "a", "a.", "b", "a", "b"}) all += names.unique(name) + " ";
  EXPECT_EQ(all, "a a_2 a_3 a_4 b a_5 b_2 ");
}

}  // namespace
}  // namespace unroll
