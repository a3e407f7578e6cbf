#include "model.h"

#include <fmt/format.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <array>
#include <string>

#include "arrays.h"
#include "bindings.h"
#include "data/image_inputs.h"
#include "train/probabilities.h"
#include "unroll/core/error.h"

namespace unroll::python {
namespace {

namespace nb = nanobind;
using namespace nb::literals;

bool is_f64(const io::Safetensors& file) {
  return std::ranges::any_of(file.arrays(),
                             [](const io::ArrayView& a) { return a.type == io::ElementType::f64; });
}

std::variant<infer::Model<float>, infer::Model<double>> compiled(const io::Safetensors& file,
                                                                 const spec::ModelSpec& spec) {
  if (is_f64(file)) return infer::Model<double>(spec, file.arrays());
  return infer::Model<float>(spec, file.arrays());
}

io::Safetensors owned(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights) {
  return io::Safetensors::parse(
      io::safetensors_bytes(weights, {{spec::ModelSpec::metadata_key, spec::to_json(spec)}}),
      "the model");
}

/// One weight that is NaN can make every output NaN.
void check_finite(const io::Safetensors& file, const std::string& name) {
  for (const io::ArrayView& array : file.arrays())
    if (const std::size_t count = io::count_not_finite(array); count > 0)
      throw FormatError(
          "load", fmt::format("{}: {} has {} weights that are NaN or infinite; train it again, or "
                              "load it with allow_not_finite=True",
                              name, array.name, count));
}

}  // namespace

Model described_model(io::Safetensors file, const std::string& name, bool allow_not_finite) {
  if (!allow_not_finite) check_finite(file, name);
  try {
    spec::ModelSpec spec = spec::from_json(file.metadata().at(spec::ModelSpec::metadata_key));
    return {std::move(file), std::move(spec)};
  } catch (const FormatError& error) {
    throw FormatError("load", fmt::format("{}: {}", name, error.what()));
  }
}

namespace {

/// `x` has shape (N, T, I), with T 1 for a model that reads no sequences. The result has shape (N,
/// C), or (N, T, C) for every step.
template <class T>
nb::object run(const infer::Model<T>& model, const spec::ModelSpec& spec, nb::handle given,
               const std::vector<std::size_t>& lengths) {
  const Buffer x = view<T>(given);
  if (x.shape().size() != 3) throw ShapeError("predict", "expected an array (N, T, I)");
  const auto batch = static_cast<std::size_t>(x.shape()[0]),
             steps = static_cast<std::size_t>(x.shape()[1]);
  std::vector<std::size_t> shape{batch};
  if (spec::features_of(spec).back().is_sequence()) shape.push_back(steps);
  shape.push_back(model.outputs());
  nb::object result = empty_array(shape, dtype_of<T>());
  auto out = Buffer::of<T>(result, true);
  {
    const nb::gil_scoped_release unlocked;
    model.run(x.template values<T>(), batch, steps, out->template out<T>(), lengths);
  }
  return result;
}

/// The softmax over the last axis, as `unroll predict` shows it.
template <class T>
nb::object probabilities(nb::handle given) {
  const Buffer logits = view<T>(given);
  const auto sizes = logits.shape();
  const std::vector<std::size_t> shape(sizes.begin(), sizes.end());
  nb::object result = empty_array(shape, dtype_of<double>());
  if (logits.size() == 0) return result;
  auto out = Buffer::of<double>(result, true);
  {
    const nb::gil_scoped_release unlocked;
    const std::size_t classes = shape.back();
    std::vector<double> row;
    for (std::size_t first = 0; first < logits.size(); first += classes) {
      train::probabilities_of(logits.template values<T>().subspan(first, classes), row);
      std::ranges::copy(row,
                        out->template out<double>().begin() + static_cast<std::ptrdiff_t>(first));
    }
  }
  return result;
}

/// The weights by name, as they are stored; other element types than f64 as float32.
nb::dict weights_of(const Model& model) {
  nb::dict weights;
  for (const io::ArrayView& array : model.file.arrays()) {
    const std::vector<std::size_t> shape(array.shape.begin(), array.shape.end());
    const bool wide = array.type == io::ElementType::f64;
    nb::object values = empty_array(shape, wide ? dtype_of<double>() : dtype_of<float>());
    if (wide)
      io::to_floats(array, Buffer::of<double>(values, true)->out<double>());
    else
      io::to_floats(array, Buffer::of<float>(values, true)->out<float>());
    weights[array.name.c_str()] = values;
  }
  return weights;
}

/// Makes a model from the text of a description, and its weights by name: arrays of float32 or
/// float64.
Model from_weights(const std::string& description, const nb::dict& weights) {
  std::vector<Buffer> buffers;
  std::vector<io::ArrayView> views;
  buffers.reserve(weights.size());
  for (const auto item :
       weights) {  // no structured binding: a lambda can't capture one in clang 14
    const nb::handle name = item.first, values = item.second;
    const auto wide = Buffer::of<double>(values);
    const auto add = [&]<class T>(io::ElementType type) {
      buffers.push_back(view<T>(values));
      const auto sizes = buffers.back().shape();
      views.push_back({nb::cast<std::string>(name),
                       type,
                       {sizes.begin(), sizes.end()},
                       std::as_bytes(buffers.back().values<T>())});
    };
    if (wide)
      add.operator()<double>(io::ElementType::f64);
    else
      add.operator()<float>(io::ElementType::f32);
  }
  return {spec::from_json(description), views};
}

/// The names of the inputs of a step, or of a vector; empty if the model has none.
std::vector<std::string> input_names(const Model& model) {
  if (const auto* series = std::get_if<spec::SeriesInput>(&model.spec.input)) return series->names;
  if (const auto* vector = std::get_if<spec::VectorInput>(&model.spec.input)) return vector->names;
  return {};
}

/// The inputs (N, T, I) of images (N, H, W) of pixels from 0 to 255, with the bits of training:
/// computed in f32, in the order in which the model reads them.
nb::object scaled_pixels(const Model& model, nb::handle given) {
  const Buffer images = view<float>(given);
  const auto* input = spec::pixels_of(model.spec.input);
  if (!input || images.shape().size() != 3)
    throw ShapeError("predict", "expected images (N, H, W) for a model that reads pixels");
  const auto count = images.shape()[0];
  const data::ImageInputs inputs(*input, images.shape()[1], images.shape()[2]);
  const auto mean = static_cast<float>(input->mean), std = static_cast<float>(input->std);
  const std::array shape{static_cast<std::size_t>(count), static_cast<std::size_t>(inputs.steps()),
                         static_cast<std::size_t>(inputs.size() / inputs.steps())};
  nb::object result = empty_array(shape, dtype_of<float>());
  auto out = Buffer::of<float>(result, true);
  const auto pixels = images.values<float>();
  const auto to = out->out<float>();
  const auto size = static_cast<std::size_t>(inputs.size());
  std::ranges::transform(pixels, to.begin(),
                         [&](float pixel) { return (pixel / 255.0f - mean) / std; });
  for (std::size_t first = 0; first < to.size(); first += size)
    inputs.permute(to.subspan(first, size));
  return result;
}

nb::bytes bytes_of(const Model& model) {
  const auto bytes = io::safetensors_bytes(model.file.arrays(), model.file.metadata());
  return nb::bytes(bytes.data(), bytes.size());
}

/// Of the bytes that bytes_of() gave.
Model from_bytes(const nb::bytes& bytes) {
  const auto* const first = static_cast<const std::byte*>(bytes.data());
  return described_model(io::Safetensors::parse({first, first + bytes.size()}, "the model"),
                         "the model", true);
}

}  // namespace

Model::Model(io::Safetensors weights, spec::ModelSpec description)
    : file(std::move(weights)), spec(std::move(description)), runs(compiled(file, spec)) {}

Model::Model(const spec::ModelSpec& description, std::span<const io::ArrayView> weights)
    : Model(owned(description, weights), description) {}

void bind_model(nb::module_& module) {
  module.def(
      "probabilities",
      [](nb::handle logits) {
        return Buffer::of<double>(logits) ? probabilities<double>(logits)
                                          : probabilities<float>(logits);
      },
      "logits"_a);
  nb::class_<Model>(module, "Model")
      .def_static("from_weights", &from_weights, "description"_a, "weights"_a)
      .def_static("from_bytes", &from_bytes, "content"_a)
      .def("bytes", &bytes_of)
      .def(
          "save",
          [](const Model& m, const std::string& path) {
            const nb::gil_scoped_release unlocked;
            io::write_safetensors(path, m.file.arrays(), m.file.metadata());
          },
          "path"_a)
      .def(
          "run",
          [](const Model& m, nb::handle x, const std::vector<std::size_t>& lengths) {
            return std::visit([&](const auto& runs) { return run(runs, m.spec, x, lengths); },
                              m.runs);
          },
          "x"_a, "lengths"_a = std::vector<std::size_t>())
      .def("weights", &weights_of)
      .def("description", [](const Model& m) { return spec::to_json(m.spec); })
      .def_prop_ro("is_f64", [](const Model& m) { return m.runs.index() == 1; })
      .def_prop_ro("inputs", [](const Model& m) { return spec::inputs_of(m.spec); })
      .def_prop_ro("outputs", [](const Model& m) { return spec::outputs_of(m.spec); })
      .def_prop_ro("meaning", [](const Model& m) { return std::string(name_of(m.spec.output)); })
      .def_prop_ro("classes", [](const Model& m) { return m.spec.classes; })
      .def_prop_ro("input_names", &input_names)
      .def_prop_ro("reads_sequences",
                   [](const Model& m) { return spec::is_sequence(m.spec.input); })
      .def_prop_ro(
          "reads_tokens",
          [](const Model& m) { return std::holds_alternative<spec::TokenInput>(m.spec.input); })
      .def_prop_ro("every_step",
                   [](const Model& m) { return spec::features_of(m.spec).back().is_sequence(); })
      .def_prop_ro("reads_ahead", [](const Model& m) { return spec::reads_ahead(m.spec); })
      .def_prop_ro("reads_pixels",
                   [](const Model& m) { return spec::pixels_of(m.spec.input) != nullptr; })
      .def("pixels", &scaled_pixels, "images"_a);
}

}  // namespace unroll::python
