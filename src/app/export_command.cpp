// unroll export: writes a model for other programs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "app/commands.h"
#include "app/export_cpp.h"
#include "app/model_source.h"
#include "core/file.h"
#include "core/printable.h"
#include "export/js.h"
#include "export/npz.h"
#include "export/onnx.h"
#include "run/output_file.h"

namespace unroll::app {
namespace {

struct ExportFlags {
  ModelFlags model;
  std::string format, out;
  exporter::OnnxOptions onnx;
  CppFlags cpp;
  std::vector<std::pair<Option, std::string_view>> own;  // flags that one format has
};

void write(const ExportFlags& flags, std::span<const std::byte> bytes) {
  write_file("export", flags.out, bytes);
  fmt::print("{}: {} bytes\n", printable(flags.out), bytes.size());
}

/// "input rnn.h_0 (1, any, 100): may be left out: zeros"
void print_values(const char* kind, const std::vector<exporter::OnnxValue>& values) {
  for (const exporter::OnnxValue& value : values) {
    std::vector<std::string> sizes;
    for (const exporter::OnnxDimension& d : value.shape) {
      const auto* size = std::get_if<std::int64_t>(&d);
      sizes.push_back(size ? fmt::format("{}", *size) : printable(std::get<std::string>(d)));
    }
    fmt::print("{} {} ({}): {}\n", kind, printable(value.name), fmt::join(sizes, ", "),
               printable(value.meaning));
  }
}

int export_onnx(const ExportFlags& flags) {
  const LoadedModel loaded = load_model(flags.model);
  const exporter::OnnxModel model = exporter::onnx(loaded.spec, loaded.file.arrays(), flags.onnx);
  write(flags, std::as_bytes(std::span(model.bytes)));
  print_values("input", model.inputs);
  print_values("output", model.outputs);
  return kOk;
}

int export_npz(const ExportFlags& flags) {
  const LoadedModel model = load_model(flags.model, false);
  note_what_is_assumed(model);  // it goes into the file's description
  write(flags, exporter::npz(model.spec, model.file.arrays()));
  return kOk;
}

int export_cpp(const ExportFlags& flags) {
  return export_cpp(load_model(flags.model), flags.out, flags.cpp);
}

int export_js(const ExportFlags& flags) {
  const LoadedModel model = load_model(flags.model);
  const std::string text = exporter::js_module(model.spec, model.file.arrays());
  write(flags, std::as_bytes(std::span(text)));
  return kOk;
}

struct Format {
  std::string_view name;
  int (*work)(const ExportFlags&);
};

constexpr std::array kFormats = {Format{"onnx", export_onnx}, Format{"npz", export_npz},
                                 Format{"cpp", export_cpp}, Format{"js", export_js}};

int work(const ExportFlags& flags) {
  for (const auto& [option, of] : flags.own)
    if (option.is_given() && of != flags.format)
      throw UsageError(
          fmt::format("{} needs --format {}, not {}", option.name(), of, flags.format));
  run::check_output(flags.out, {flags.model.path});
  return std::ranges::find(kFormats, flags.format, &Format::name)->work(flags);
}

}  // namespace

void add_export(Command& program) {
  Command command =
      program.add("export", "Write a model as ONNX, NumPy, C++ or JavaScript",
                  "unroll export runs/mnist-rnn-tuned-seed0 --format onnx -o model.onnx");
  const auto flags = std::make_shared<ExportFlags>();
  flags->model.add_to(command);
  std::vector<std::string_view> names;
  for (const Format& format : kFormats) names.push_back(format.name);
  command
      .option("--format", flags->format,
              "onnx: for ONNX Runtime and others. npz: weights and description for NumPy. "
              "cpp: a C++17 header that runs the model. "
              "js: a JavaScript module that runs it")
      .required()
      .choices(names);
  command.option("-o,--out", flags->out, "The file to write").required().file();
  const auto own = [&](std::string_view format, const Option& option) {
    flags->own.emplace_back(option, format);
  };
  own("onnx", command.flag("--streaming", flags->onnx.streaming,
                           "onnx: export a single time step; states become inputs and outputs"));
  own("onnx", command.flag("--lengths", flags->onnx.lengths,
                           "onnx: add an input with the length of each sequence"));
  own("onnx", command.flag(
                  "--no-scaling", [flags] { flags->onnx.scaling = false; },
                  "onnx: take numbers that are already scaled, not pixels of 0 to 255"));
  flags->cpp.add_to(command);
  for (const char* flag : {"--name", "--int8", "--dataset", "--data-dir", "--fallback-fashion"})
    own("cpp", command.find(flag));
  command.set_work([flags] { return work(*flags); });
}

}  // namespace unroll::app
