// Compiles exported headers as users would, and runs them if possible. With each compiler, the
// outputs must be those of infer::Stream.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "export/cpp_header.h"
#include "export/int8.h"
#include "export/models.h"
#include "support/patterns.h"
#include "support/program.h"
#include "support/shell.h"
#include "support/tensors.h"
#include "unroll/infer/stream.h"

namespace unroll::exporter {
namespace {

struct Compiler {
  std::string name, command, options;
  std::string linker = command;  // arm-none-eabi's C++ library is not needed, so not installed
  std::string runner = "";       // "-": its programs can't run here
};

void PrintTo(const Compiler& compiler, std::ostream* out) { *out << compiler.name; }

// -Os without exceptions and run-time types is how such headers are compiled for small machines.
const std::string kSmall = "-Os -fno-exceptions -fno-rtti";
const std::string kCortexM4 = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16";

std::vector<Compiler> compilers(bool sanitized = true) {
  const std::string arm = "arm-none-eabi-g++", arm_c = "arm-none-eabi-gcc";
  const std::string semihosting = " --specs=rdimon.specs";
  std::vector<Compiler> all = {
      {"gxx", "g++", kSmall},
      {"gxx_fast", "g++", "-O2 -march=native -ffast-math"},
      {"clangxx", "clang++", kSmall},
      {"clangxx_fast", "clang++", "-O2 -march=native -ffast-math"},
      {"arm_soft_float", arm, kSmall + semihosting, arm_c, "qemu-arm"},
      {"arm_cortex_a7", arm,
       kSmall + " -mcpu=cortex-a7 -mthumb -mfloat-abi=hard -mfpu=neon-vfpv4" + semihosting, arm_c,
       "qemu-arm"},
      // qemu-arm has no semihosting for this profile.
      {"arm_cortex_m4", arm, kSmall + " " + kCortexM4 + semihosting, arm_c, "-"},
      {"mingw", "x86_64-w64-mingw32-g++", kSmall, "x86_64-w64-mingw32-g++", "-"},
  };
  if (sanitized)
    all.push_back(
        {"gxx_sanitized", "g++", "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"});
  return all;
}

std::string name_of_test(const testing::TestParamInfo<Compiler>& compiler) {
  return compiler.param.name;
}

std::string numbers(std::string_view name, std::span<const float> values) {
  std::string text = fmt::format("static const float {}[] = {{\n", name);
  for (const float value : values) text += fmt::format("{:a}f,\n", value);
  return text + "};\n";
}

constexpr std::size_t kSteps = 12;

std::vector<float> random_numbers() {
  const Tensor x = test::random_tensor({kSteps, 5}, DType::f32, 7);
  return {x.values<float>().begin(), x.values<float>().end()};
}

/// A program that includes all models' headers, floats and int8, and compares each with the numbers
/// of a Stream. It prints a line for each and ends with "all right".
class Generated {
 public:
  Generated() {
    std::string includes, tables, checks;
    for (const infer::Named& named : test::streaming_models()) {
      const test::RandomWeights weights(named.spec);
      const Int8Weights rounded(weights.views());
      for (const bool int8 : {false, true}) {
        const std::string name = named.name + (int8 ? "8" : "");
        const CppHeader header =
            cpp_header(named.spec, weights.views(), {.name = name, .int8 = int8});
        folder_.write(name + ".h", header.text);
        const infer::Model<float> model(named.spec, int8 ? rounded.arrays() : weights.views());
        const bool numbers_in =
            spec::features_of(named.spec)[0].kind == spec::Features::Kind::sequence;
        const std::vector<float> x =
            numbers_in ? random_numbers() : test::some_tokens<float>(kSteps);
        std::vector<float> expected(kSteps * 3);
        model.stream().process(x, expected, kSteps);
        includes += fmt::format("#include \"{}.h\"\n", name);
        tables += numbers("in_" + name, x) + numbers("expected_" + name, expected);
        checks += fmt::format(
            "  static_assert({0}::kInputs == {2} && {0}::kOutputs == 3, \"sizes\");\n"
            "  static_assert(sizeof({0}::Model) == {1}, \"memory\");\n"
            "  check<{0}::Model>(\"{0}\", in_{0}, {2}, expected_{0});\n",
            name, header.object_bytes, model.inputs());
      }
    }
    std::vector<float> points, tanhs, sigmoids;
    for (float x = -12; x <= 12; x += 0.0371f) {
      points.push_back(x);
      tanhs.push_back(static_cast<float>(std::tanh(static_cast<double>(x))));
      sigmoids.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(x)))));
    }
    tables += numbers("points", points) + numbers("tanhs", tanhs) + numbers("sigmoids", sigmoids);
    folder_.write("all.cpp", includes + "#include <stdio.h>\n" + tables +
                                 test::content_of(UNROLL_SOURCE_DIR "/tests/export/check.inc") +
                                 "int main() {\n" + checks + "  return finish();\n}\n");
    folder_.write("one.cpp",
                  "#include \"Gru.h\"\n"
                  "extern \"C\" void gru_reset(Gru::Model* m) { m->reset(); }\n"
                  "extern \"C\" void gru_process(Gru::Model* m, const float* in, float* out,\n"
                  "                            size_t steps) { m->process(in, out, steps); }\n");
  }

  std::string operator/(const std::string& name) const { return folder_ / name; }
  const std::string& path() const { return folder_.path(); }

 private:
  test::TemporaryFolder folder_;
};

class ExportedHeader : public testing::TestWithParam<Compiler> {
 protected:
  static constexpr const char* kWarnings =
      "-std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror";

  test::Outcome compile(const Generated& folder, const std::string& file,
                        const std::string& object) {
    return test::shell(fmt::format("cd '{}' && {} {} {} -c {} -o {}", folder.path(),
                                   GetParam().command, kWarnings, GetParam().options, file,
                                   object));
  }
};

TEST_P(ExportedHeader, GivesWhatAStreamGives) {
  const Compiler& c = GetParam();
  if (!test::is_there(c.command)) GTEST_SKIP() << "no " << c.command;
  const Generated folder;
  const test::Outcome compiled = compile(folder, "all.cpp", "all.o");
  ASSERT_EQ(compiled.status, 0) << compiled.text;
  const test::Outcome linked =
      test::shell(fmt::format("cd '{}' && {} {} all.o -o all", folder.path(), c.linker, c.options));
  ASSERT_EQ(linked.status, 0) << linked.text;
  if (c.runner == "-") return;
  if (!c.runner.empty() && !test::is_there(c.runner)) GTEST_SKIP() << "no " << c.runner;
  const test::Outcome ran =
      test::shell(fmt::format("cd '{}' && {} ./all", folder.path(), c.runner));
  EXPECT_EQ(ran.status, 0);
  EXPECT_TRUE(ran.text.ends_with("all right\n")) << ran.text;
  fmt::print("{}", ran.text);
}

/// The words of a text that may be names.
std::set<std::string> words_of(const std::string& text) {
  const auto words = test::search_all(text, "[A-Za-z_][A-Za-z0-9_]*");
  return {words.begin(), words.end()};
}

using Trial14Compilers = ExportedHeader;

// Every word of the headers that an exported one includes, in the compiler's own dialect, is
// refused or can be a namespace's name, as those of parameters and members can.
TEST_P(Trial14Compilers, NamesOfTheIncludedHeadersAreRefused) {
  const Compiler& c = GetParam();
  if (!test::is_there(c.command)) GTEST_SKIP() << "no " << c.command;
  test::TemporaryFolder folder;
  folder.write("a.cpp", "#include <stddef.h>\n#include <stdint.h>\n#include <string.h>\n");
  const auto preprocessed = [&](const std::string& options) {
    const test::Outcome made =
        test::shell(fmt::format("cd '{}' && {} {} a.cpp", folder.path(), c.command, options));
    EXPECT_EQ(made.status, 0) << made.text;
    return made.text;
  };
  std::set<std::string> names = words_of(preprocessed("-E -P"));
  for (const std::string& line : test::lines_of(preprocessed("-E -dM"))) {
    const std::size_t begin = sizeof "#define";  // and a blank
    names.insert(line.substr(begin, line.find_first_of(" (", begin) - begin));
  }
  EXPECT_TRUE(names.contains("memcpy") && names.contains("NULL") && names.contains("size_t"));
  names.erase("C");  // extern "C"
  std::string namespaces = test::content_of(folder / "a.cpp");
  for (const std::string& name : names)
    if (is_cpp_name(name)) namespaces += "namespace " + name + " {}\n";
  folder.write("b.cpp", namespaces);
  const test::Outcome compiled =
      test::shell(fmt::format("cd '{}' && {} -fsyntax-only b.cpp", folder.path(), c.command));
  EXPECT_EQ(compiled.status, 0) << compiled.text;
}
INSTANTIATE_TEST_SUITE_P(Export, Trial14Compilers, testing::ValuesIn(compilers(false)),
                         name_of_test);

class ExportedObject : public ExportedHeader {};

// The object needs no library: undefined symbols come with the compiler.
TEST_P(ExportedObject, NeedsNoLibrary) {
  const Compiler& c = GetParam();
  if (!test::is_there(c.command)) GTEST_SKIP() << "no " << c.command;
  const Generated folder;
  const test::Outcome compiled = compile(folder, "one.cpp", "one.o");
  ASSERT_EQ(compiled.status, 0) << compiled.text;
  const test::Outcome symbols = test::shell(fmt::format("cd '{}' && nm one.o", folder.path()));
  EXPECT_NE(symbols.text.find(" T gru_process"), std::string::npos) << symbols.text;
  for (const std::string& line : test::lines_of(symbols.text)) {
    if (line.find(" U ") == std::string::npos) continue;
    const std::string name = line.substr(line.find_last_of(' ') + 1);
    EXPECT_TRUE(name == "memcpy" || name == "memset" || name.starts_with("__aeabi_")) << line;
  }
  fmt::print("{}", test::shell(fmt::format("cd '{}' && size one.o", folder.path())).text);
}

INSTANTIATE_TEST_SUITE_P(Export, ExportedHeader, testing::ValuesIn(compilers()), name_of_test);
// The sanitizers are libraries.
INSTANTIATE_TEST_SUITE_P(Export, ExportedObject, testing::ValuesIn(compilers(false)), name_of_test);

}  // namespace
}  // namespace unroll::exporter
