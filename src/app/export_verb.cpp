// unroll export: a model for other programs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "app/export_cpp.h"
#include "app/model_source.h"
#include "app/verbs.h"
#include "core/file.h"
#include "core/suggest.h"
#include "export/npz.h"

namespace unroll::app {
namespace {

struct Flags {
  ModelFlags model;
  std::string format, out;
  CppFlags cpp;
};

void write(const Flags& flags, std::span<const std::byte> bytes) {
  write_file("export", flags.out, std::span(&bytes, 1));
  fmt::print("{}: {} bytes\n", flags.out, bytes.size());
}

int export_npz(const Flags& flags) {
  const LoadedModel model = load_model(flags.model, false);
  write(flags, exporter::npz(model.spec, model.file.arrays()));
  return kOk;
}

int export_cpp(const Flags& flags) {
  return export_cpp(load_model(flags.model), flags.out, flags.cpp);
}

struct Format {
  std::string_view name;
  int (*work)(const Flags&);
};

constexpr std::array kFormats = {Format{"npz", export_npz}, Format{"cpp", export_cpp}};

int work(const Flags& flags) {
  const auto format = std::ranges::find(kFormats, flags.format, &Format::name);
  if (format == kFormats.end()) {
    std::vector<std::string_view> names;
    for (const Format& f : kFormats) names.push_back(f.name);
    throw UsageError(fmt::format("--format {}, expected {}{}", flags.format,
                                 fmt::join(names, " or "), did_you_mean(flags.format, names)));
  }
  if (format->name != "cpp") flags.cpp.refuse_for(format->name);
  return format->work(flags);
}

}  // namespace

void add_export(CLI::App& program, Work& chosen) {
  CLI::App* verb = add_verb(program, "export", "Write a model for other programs.",
                            "unroll export runs/mnist-rnn-tuned-seed0 --format npz -o model.npz");
  const auto flags = std::make_shared<Flags>();
  flags->model.add_to(*verb);
  verb->add_option("--format", flags->format,
                   "npz: NumPy's weights, and the description as JSON; cpp: a C++17 header that "
                   "runs the model")
      ->required();
  verb->add_option("-o,--out", flags->out, "The file to write")->required();
  flags->cpp.add_to(*verb);
  verb->callback([flags, &chosen] { chosen = [flags] { return work(*flags); }; });
}

}  // namespace unroll::app
