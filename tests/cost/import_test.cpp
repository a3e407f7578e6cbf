// Import: PyTorch's archives and pickles, architecture files, and weights by any number of names.
#include <fmt/format.h>

#include <string>
#include <vector>

#include "cost/growth.h"
#include "data/zip_archive.h"
#include "import/architecture.h"
#include "import/import_model.h"
#include "import/pickle.h"
#include "import/pt_container.h"
#include "import/state_dict.h"
#include "unit/import/archives.h"

namespace unroll::importer {
namespace {

using namespace std::string_literals;
using test::expect_linear;
using test::Reading;
using test::reading;

// A value of a pickle takes 16 bytes, however short it is written.
constexpr double kPickleMemory = 16;

template <class F>
std::string refusal(F&& read) {
  try {
    read();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (; bytes > 0; --bytes, value >>= 8) text.push_back(static_cast<char>(value & 0xff));
  return text;
}

std::string text(const std::string& value) { return "X" + number(value.size(), 4) + value; }

std::string integer(std::uint64_t value) { return "\x8a\x08" + number(value, 8); }

std::string tuple(const std::vector<std::uint64_t>& values) {
  std::string all = "(";
  for (const std::uint64_t value : values) all += integer(value);
  return all + "t";
}

/// What torch.save writes for a tensor of the floats in data/0.
std::string tensor(std::uint64_t stored, const std::string& sizes, const std::string& strides,
                   const std::string& key = "0") {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" +
         text(key) + text("cpu") + integer(stored) + "tQK\0"s + sizes + strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

Bytes pt_of(const std::string& pickle, std::size_t floats) {
  return zip_of({{"a/data.pkl", "\x80\2" + pickle + "."},
                 {"a/byteorder", "little"},
                 {"a/data/0", std::string(floats * sizeof(float), '\0')}});
}

Reading read_pt(const Bytes& bytes, bool must_succeed = false) {
  return reading(bytes.size(), [&] {
    try {
      parse_pt(bytes, "FILE");
    } catch (const Error& error) {
      if (must_succeed) std::fprintf(stderr, "%s\n", error.what()), std::abort();
    }
  });
}

TEST(Trial20, PicklesOfManyValues) {
  const auto of = [](const std::string& start, const std::string& each, const std::string& end) {
    expect_linear(
        2000,
        [&](std::size_t n) {
          std::string pickle = "\x80\2" + start;
          for (std::size_t i = 0; i < n; ++i) pickle += each;
          const Bytes bytes = bytes_of(pickle + end + ".");
          return reading(bytes.size(), [&] { read_pickle(bytes, "FILE"); });
        },
        40, kPickleMemory);
  };
  of("](", "J\1\2\3\4", "e");               // a list at once
  of("]", "J\1\2\3\4a", "");                // one by one
  of("]", "(J\1\2\3\4J\1\2\3\4e", "");      // in pieces
  of("}(", "X\3\0\0\0abcJ\1\2\3\4"s, "u");  // a dictionary at once
  of("}", "X\3\0\0\0abcJ\1\2\3\4s"s, "");   // one by one
  of("(", "J\1\2\3\4q\1", "t");             // each remembered
  of("]q\1(", "h\1"s, "e");                 // within itself, many times
}

TEST(Trial20, OneDictionaryUnderManyKeys) {
  expect_linear(
      500,
      [](std::size_t n) {
        std::string pickle = "}q\1(" + text("weights") + "}q\2(";
        const std::string one = tensor(1, tuple({1}), tuple({1})) + "q\3";
        for (std::size_t i = 0; i < n; ++i)
          pickle += text(std::to_string(i)) + (i == 0 ? one : "h\3");
        pickle += "u";
        for (std::size_t i = 0; i < n; ++i) pickle += text("k" + std::to_string(i)) + "h\2";
        return read_pt(pt_of(pickle + "u", 1));
      },
      40, kPickleMemory);
}

TEST(Trial20, ManyTensorsInAnArchive) {
  expect_linear(
      300,
      [](std::size_t n) {
        std::string pickle = "}(";
        for (std::size_t i = 0; i < n; ++i)
          pickle += text("layer." + std::to_string(i) + ".weight") +
                    tensor(4 * n, tuple({2, 2}), tuple({1, 2}));
        return read_pt(pt_of(pickle + "u", 4 * n), true);
      },
      40, kPickleMemory);
}

TEST(Trial20, TensorsOfManyDimensions) {
  // Turned, so that each element is looked for, with 62 dimensions of size 1.
  expect_linear(
      500,
      [](std::size_t n) {
        std::vector<std::uint64_t> sizes = {n, 2}, strides = {1, n};
        sizes.resize(64, 1);
        strides.resize(64, 1);
        return read_pt(
            pt_of("}" + text("a") + tensor(2 * n, tuple(sizes), tuple(strides)) + "s", 2 * n),
            true);
      },
      10);
  // Empty ones, that share their sizes.
  expect_linear(
      20'000,
      [](std::size_t n) {
        const std::vector<std::uint64_t> sizes(64, 0);
        std::string pickle = "}(" + text("0") + tensor(0, tuple(sizes), tuple(sizes)) + "q\3";
        for (std::size_t i = 1; i < n; ++i) pickle += text(std::to_string(i)) + "h\3";
        return read_pt(pt_of(pickle + "u", 0));
      },
      60, kPickleMemory);
}

TEST(Trial20, FilesOfTheOldFormat) {
  // A magic number, a version, facts, the object, the keys of its storages; and those.
  const std::string start = "\x80\2" +
                            ("\x8a\x0a"
                             "l\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s) +
                            "\x80\2M\xe9\3." + "\x80\2}" + text("little_endian") + "\x88s.";
  expect_linear(
      300,
      [&](std::size_t n) {
        std::string file = start + "\x80\2}(", keys = "\x80\2](", storages;
        for (std::size_t i = 0; i < n; ++i) {
          const std::string key = std::to_string(i);
          file += text("layer." + key) + tensor(1, tuple({1}), tuple({1}), key);
          keys += text(key);
          storages += number(1, 8) + std::string(4, '\0');
        }
        return read_pt(bytes_of(file + "u." + keys + "e." + storages), true);
      },
      40, kPickleMemory);
}

TEST(Trial20, KeysThatLeadDeepDown) {
  // {"a": {"a": ... {"b": tensor}}}, each with all that is below.
  expect_linear(
      100,
      [](std::size_t n) {
        std::string pickle, end, path;
        for (std::size_t i = 0; i < n; ++i) {
          pickle += "}" + text("a");
          end += "s";
          path += i == 0 ? "a" : ".a";
        }
        const Bytes bytes =
            pt_of(pickle + "}" + text("b") + tensor(1, tuple({1}), tuple({1})) + "s" + end, 1);
        return reading(bytes.size(), [&] {
          if (parse_pt(bytes, "FILE", path).arrays.size() != 1) std::abort();
          parse_pt(bytes, "FILE");
        });
      },
      200, 40);
}

TEST(Trial20, ModulesThatHoldEachOther) {
  // Each holds the one before it twice, so that there are 2^60 ways through them.
  std::string pickle;
  for (int i = 0; i < 60; ++i) {
    const std::string before = "h" + number(i - 1, 1);
    const std::string modules = i == 0 ? "" : "(" + text("a") + before + text("b") + before + "u";
    pickle += std::string(i == 0 ? "" : "0") + "ctorch.nn.modules.container\nSequential\n)\x81}(" +
              text("_parameters") + "}" + text("_buffers") + "}" + text("_modules") + "}" +
              modules + "ubq" + number(i, 1);
  }
  const Bytes bytes = pt_of(pickle, 0);
  std::string said;
  const Reading read =
      reading(bytes.size(), [&] { said = refusal([&] { parse_pt(bytes, "FILE"); }); });
  EXPECT_NE(said.find("its modules contain each other more than"), std::string::npos) << said;
  EXPECT_LT(read.cost.blocks, 20'000'000u);
}

TEST(Trial20, ArchivesOfManyEntries) {
  expect_linear(
      1000,
      [](std::size_t n) {
        Entries entries;
        for (std::size_t i = 0; i < n; ++i) entries.emplace_back("a/data/" + std::to_string(i), "");
        return read_pt(zip_of(entries));
      },
      40);
}

/// An archive of entries that are listed and nothing else, with ZIP64's end record.
Bytes zip64_of(std::uint64_t entries) {
  std::string list;
  for (std::uint64_t i = 0; i < entries; ++i)
    list += "PK\1\2" + number(10, 2) + number(10, 2) + std::string(38, '\0');
  const std::string record = "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) +
                             number(0, 8) + number(entries, 8) + number(entries, 8) +
                             number(list.size(), 8) + number(0, 8);
  const std::string locator = "PK\6\7" + number(0, 4) + number(list.size(), 8) + number(1, 4);
  const std::string end = "PK\5\6" + number(0, 4) + number(0xffffffff, 4) + number(0xffffffff, 4) +
                          number(0xffffffff, 4) + number(0, 2);
  return bytes_of(list + record + locator + end);
}

TEST(Trial20, TooManyEntriesAreRefusedBeforeTheyAreRead) {
  const Bytes bytes = zip64_of(65'537);
  std::string said;
  const Reading read = reading(
      bytes.size(), [&] { said = refusal([&] { data::ZipArchive(bytes, "x.pt", pt_use); }); });
  EXPECT_EQ(
      said,
      "[import] x.pt: it has 65537 entries, more than 65536, the limit of Unroll; save the weights "
      "alone: torch.save(model.state_dict(), \"weights.pt\")");
  EXPECT_LT(read.cost.blocks, 20'000u);
}

/// Weights without elements or with zeros, by name.
struct Weights {
  StateDict state;
  std::size_t size = 0;  // of the file that they would be

  void add(std::string name, std::vector<std::int64_t> shape) {
    std::size_t bytes = sizeof(float);
    for (const std::int64_t n : shape) bytes *= static_cast<std::size_t>(n);
    size += bytes + name.size() + 60;
    const auto& data = state.memory.emplace_back(bytes);
    state.arrays.push_back({std::move(name), io::ElementType::f32, std::move(shape), data});
  }
};

std::string linear_layers(std::size_t n, const std::string& before) {
  std::string all = "{\"layers\":[";
  for (std::size_t i = 0; i < n; ++i)
    all += fmt::format("{}{{\"type\":\"linear\",\"name\":\"{}{}\"}}", i ? "," : "", before, i);
  return all + "]}";
}

TEST(Trial20, ArchitecturesOfManyLayers) {
  expect_linear(
      300,
      [](std::size_t n) {
        const std::string architecture = linear_layers(n, "b");
        Weights weights;
        for (std::size_t i = 0; i < n; ++i) weights.add(fmt::format("b{}.weight", i), {1, 1});
        return reading(weights.size + architecture.size(),
                       [&] { import_model(weights.state, architecture); });
      },
      50);
  Weights weights;
  weights.add("b0.weight", {1, 1});
  EXPECT_EQ(refusal([&] { import_model(weights.state, linear_layers(8000, "b")); }),
            "[import] the architecture: it has 8000 layers, expected at most 256");
}

TEST(Trial20, NamesThatAreNotThere) {
  // Each of 16 problems looks through all names, long and short, for one that is meant.
  for (const std::string& before : {std::string("c"), std::string(30, 'c'), std::string(900, 'c')})
    expect_linear(
        30'000 / before.size() + 2000,
        [&](std::size_t n) {
          Weights weights;
          for (std::size_t i = 0; i < n; ++i)
            weights.add(fmt::format("{}{}.weight", before, i), {1, 1});
          return reading(weights.size, [&] {
            import_model(weights.state, linear_layers(200, std::string(20, 'x')));
          });
        },
        80);
}

TEST(Trial20, LayersWhoseWeightsContradictEachOther) {
  std::string architecture = "{\"layers\":[";
  for (int i = 0; i < 256; ++i)
    architecture +=
        fmt::format(R"({}{{"type":"lstm","name":"a{}","readout":"every_step"}})", i ? "," : "", i);
  architecture += "]}";
  expect_linear(
      4000,
      [&](std::size_t n) {
        Weights weights;
        for (int i = 0; i < 256; ++i) {
          weights.add(fmt::format("a{}.weight_ih_l0", i), {4, 1});
          weights.add(fmt::format("a{}.weight_hh_l0", i), {5, 1});
        }
        for (std::size_t i = 0; i < n; ++i) weights.add(fmt::format("b{}.c", i), {1});
        return reading(weights.size + architecture.size(),
                       [&] { import_model(weights.state, architecture); });
      },
      60);
}

TEST(Trial20, ManyTensorsThatAreLeftOver) {
  expect_linear(
      4000,
      [](std::size_t n) {
        Weights weights;
        for (int i = 0; i < 200; ++i) weights.add(fmt::format("b{}.weight", i), {1, 1});
        for (std::size_t i = 0; i < n; ++i) weights.add(fmt::format("b0.more{}", i), {1});
        const std::string architecture = linear_layers(200, "b");
        return reading(weights.size + architecture.size(),
                       [&] { import_model(weights.state, architecture); });
      },
      40);
}

TEST(Trial20, LayersThatScaleByOneLargeTensor) {
  std::string architecture = "{\"layers\":[";
  for (int i = 0; i < 200; ++i) architecture += R"({"type":"scale","mean":"mean","std":"mean"},)";
  architecture += R"({"type":"linear","name":"fc"}]})";
  expect_linear(
      10'000,
      [&](std::size_t n) {
        Weights weights;
        weights.add("mean", {static_cast<std::int64_t>(n)});
        weights.add("fc.weight", {1, 1});
        return reading(weights.size + architecture.size(),
                       [&] { import_model(weights.state, architecture); });
      },
      60, 30);
}

TEST(Trial20, LayersThatNobodyDescribed) {
  for (const bool in_order : {true, false})
    for (const char* weight : {"weight", "weight_ih_l0"})
      expect_linear(
          500,
          [&](std::size_t n) {
            Weights weights;
            for (std::size_t i = 0; i < n; ++i)
              weights.add(fmt::format("b{}.{}", i, weight), {1, 1});
            // Of a .safetensors, whose order tells nothing.
            if (!in_order) {
              const Bytes bytes = io::safetensors_bytes(weights.state.arrays);
              weights.state.file = io::Safetensors::parse(bytes, "FILE");
              weights.state.arrays = weights.state.file->arrays();
            }
            return reading(weights.size, [&] { import_model(weights.state, {}); });
          },
          60);
  Weights weights;
  for (std::size_t i = 0; i < 300; ++i) weights.add(fmt::format("b{}.weight", i), {1, 1});
  const std::string said = refusal([&] { import_model(weights.state, {}); });
  EXPECT_NE(said.find("256 layers"), std::string::npos) << said;
}

}  // namespace
}  // namespace unroll::importer
