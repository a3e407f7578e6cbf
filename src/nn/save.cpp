#include "unroll/nn/save.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "autograd/load.h"
#include "nn/model_file.h"
#include "tensor/tensor_impl.h"
#include "unroll/autograd/no_grad.h"
#include "unroll/core/error.h"
#include "unroll/core/random.h"
#include "unroll/infer/model.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/recurrent.h"

namespace unroll {
namespace {

/// The reason why no description can be written, for Saved::reason.
struct NotCertain {
  std::string reason;
};

/// Sets evaluation mode for a model and all its layers, and restores their own modes.
class EvaluationMode {
 public:
  explicit EvaluationMode(nn::Module& model) {
    note(model);
    model.eval();
  }
  ~EvaluationMode() {
    for (const auto& [module, mode] : modes_) module->train(mode);  // parents first
  }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  void note(nn::Module& module) {
    modes_.emplace_back(&module, module.is_training());
    for (const auto& [name, child] : module.children()) note(*child);
  }
  std::vector<std::pair<nn::Module*, bool>> modes_;
};

/// The layers in the order of construction, without the functions between them.
struct Layers {
  std::vector<spec::LayerSpec> all;
  bool batch_first = true;  // of the first recurrent layer

  explicit Layers(const nn::Module& model) {
    bool recurrent_before = false;
    for (const auto& [name, layer] : model.children()) {
      if (const auto* r = dynamic_cast<const nn::Recurrent*>(layer)) {
        if (auto description = r->description(name)) {
          if (!recurrent_before) batch_first = r->batch_first();
          recurrent_before = true;
          all.emplace_back(*std::move(description));
          continue;
        }
      } else if (const auto* l = dynamic_cast<const nn::Linear*>(layer)) {
        all.emplace_back(
            spec::LinearSpec{name, l->weight.size(1), l->weight.size(0), l->bias.defined()});
        continue;
      } else if (dynamic_cast<const nn::Dropout*>(layer)) {
        continue;  // does nothing in evaluation mode
      }
      throw NotCertain{
          fmt::format("the layer \"{}\" is not an Rnn, Lstm, Gru, Linear or Dropout", name)};
    }
    if (all.empty()) throw NotCertain{"the model has no layers that were made with child()"};
  }

  std::int64_t inputs() const {
    const auto* r = std::get_if<spec::RecurrentSpec>(&all.front());
    return r ? r->input_size : std::get<spec::LinearSpec>(all.front()).in_features;
  }
  bool read_sequences() const {
    return std::ranges::any_of(all, [](const spec::LayerSpec& layer) {
      return std::holds_alternative<spec::RecurrentSpec>(layer);
    });
  }
};

spec::InputSpec input_of(const spec::InputSpec& given, const Layers& layers) {
  if (given == spec::InputSpec{}) {
    if (layers.read_sequences()) return spec::SeriesInput{.features = layers.inputs()};
    return spec::VectorInput{.features = layers.inputs()};
  }
  spec::InputSpec input = given;
  if (auto* images = std::get_if<spec::ImageInput>(&input)) {
    if (images->width == 0 && images->form != spec::Form::pixels) images->width = layers.inputs();
  } else if (auto* series = std::get_if<spec::SeriesInput>(&input)) {
    if (series->features == 0) series->features = layers.inputs();
  } else if (auto* vector = std::get_if<spec::VectorInput>(&input)) {
    if (vector->features == 0) vector->features = layers.inputs();
  }
  return input;
}

/// Every description that these layers usually have.
std::vector<std::vector<spec::LayerSpec>> candidates_of(const Layers& layers) {
  using spec::Activation;
  using spec::Readout;
  std::size_t last_recurrent = layers.all.size();
  for (std::size_t i = 0; i < layers.all.size(); ++i)
    if (std::holds_alternative<spec::RecurrentSpec>(layers.all[i])) last_recurrent = i;
  std::vector<std::vector<spec::LayerSpec>> candidates;
  for (const Readout readout :
       {Readout::last, Readout::mean, Readout::max, Readout::mean_last, Readout::every_step}) {
    const std::optional<Activation> between[] = {std::nullopt, Activation::relu, Activation::tanh,
                                                 Activation::sigmoid};
    for (const auto activation : between) {
      std::vector<spec::LayerSpec> candidate;
      bool has_activation = false;
      for (std::size_t i = 0; i < layers.all.size(); ++i) {
        candidate.push_back(layers.all[i]);
        if (auto* r = std::get_if<spec::RecurrentSpec>(&candidate.back())) {
          r->readout = i == last_recurrent ? readout : Readout::every_step;
        } else if (activation && i + 1 < layers.all.size()) {
          candidate.emplace_back(spec::ActivationSpec{*activation});
          has_activation = true;
        }
      }
      if (!activation || has_activation) candidates.push_back(std::move(candidate));
    }
    if (last_recurrent == layers.all.size()) break;  // no readout to choose
  }
  return candidates;
}

/// Inputs, batch first, and the outputs of the model's forward().
struct Example {
  Tensor input, output;
};

Example example_of(const Forward& forward, const Shape& shape, DType dtype, bool batch_first) {
  Generator generator(1);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  generator.normal(values, 0, 1);
  Example made{Tensor::from(values, shape).to(dtype), {}};
  const bool turned = shape.rank() == 3 && !batch_first;
  const Tensor given = turned ? made.input.transpose(0, 1).contiguous() : made.input;
  try {
    made.output = forward(given);
    if (turned && made.output.rank() == 3) made.output = made.output.transpose(0, 1);
    made.output = made.output.detach().contiguous().to(dtype);
  } catch (const std::exception& error) {
    throw NotCertain{fmt::format(
        "forward() failed on the random numbers of shape {} that save() tests it with: {}",
        given.shape().str(), error.what())};
  }
  return made;
}

std::vector<Example> examples_of(const Forward& forward, const spec::InputSpec& input,
                                 std::int64_t features, DType dtype, bool batch_first) {
  constexpr std::int64_t kBatch = 6, kSteps = 5, kMoreSteps = 8;
  const auto of = [&](const Shape& shape) {
    return example_of(forward, shape, dtype, batch_first);
  };
  if (!spec::is_sequence(input)) return {of({kBatch, features})};
  if (const std::int64_t steps = spec::steps_of(input); steps > 0)
    return {of({kBatch, steps, features})};
  return {of({kBatch, kSteps, features}), of({kBatch, kMoreSteps, features})};
}

template <class T>
bool gives(const infer::Model<T>& model, const Example& example) {
  const auto batch = static_cast<std::size_t>(example.input.size(0));
  const auto steps =
      example.input.rank() == 3 ? static_cast<std::size_t>(example.input.size(1)) : 1;
  const auto expected = example.output.values<T>();
  const bool each_step =
      spec::features_of(model.description()).back().kind == spec::Features::Kind::sequence;
  if (example.output.rank() != (each_step ? 3 : 2) ||
      expected.size() != batch * (each_step ? steps : 1) * model.outputs())
    return false;
  std::vector<T> out(expected.size());
  model.run(example.input.values<T>(), batch, steps, std::span<T>(out));
  constexpr T kTolerance = sizeof(T) == 4 ? T(1e-5) : T(1e-10);
  T largest = 1;
  for (const T v : expected) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < out.size(); ++i)
    // false for NaN too
    if (!(std::abs(out[i] - expected[i]) <= kTolerance * largest)) return false;
  return true;
}

bool gives(const spec::ModelSpec& spec, const Parameters& parameters,
           const std::vector<Example>& examples) {
  return dispatch("save", parameters.front().value.dtype(), [&]<class T>(T*) {
    try {
      const infer::Model<T> model(spec, nn::views_of(parameters));
      return std::ranges::all_of(examples, [&](const Example& e) { return gives(model, e); });
    } catch (const FormatError&) {
      return false;  // sizes that do not fit
    }
  });
}

/// The only description with the same outputs as `forward`. Throws NotCertain if there is none, or
/// more than one.
spec::ModelSpec description_of(nn::Module& model, const Parameters& parameters,
                               const Forward& forward, const spec::ModelSpec& about) {
  if (!forward)
    throw NotCertain{"the model has no forward() or operator() from a Tensor to a Tensor"};
  const Layers layers(model);
  spec::ModelSpec spec = about;
  const spec::InputSpec input = input_of(about.input, layers);
  spec.input = input;
  spec.input = spec::with_scale_layer(spec).input;  // forward() reads scaled inputs
  const NoGrad no_grad;
  const EvaluationMode evaluation(model);
  const auto examples = examples_of(forward, spec.input, layers.inputs(),
                                    parameters.front().value.dtype(), layers.batch_first);
  std::vector<spec::ModelSpec> found;
  for (auto& candidate : candidates_of(layers)) {
    spec.layers = std::move(candidate);
    if (gives(spec, parameters, examples)) found.push_back(spec);
  }
  if (found.empty())
    throw NotCertain{
        "no description of these layers, in the order of their construction, gives the outputs of "
        "forward()"};
  if (found.size() > 1)
    throw NotCertain{fmt::format("with these weights {} descriptions give the outputs of forward()",
                                 found.size())};
  found.front().input = input;
  return found.front();
}

std::map<std::string, spec::Sizes> sizes_of(const Parameters& parameters) {
  std::map<std::string, spec::Sizes> sizes;
  for (const Parameter& p : parameters)
    sizes[p.name] = {p.value.shape().begin(), p.value.shape().end()};
  return sizes;
}

}  // namespace

Saved save(nn::Module& model, const std::string& path, const Forward& forward,
           spec::ModelSpec about) {
  const Parameters parameters = model.parameters();
  if (parameters.empty())
    throw ValueError("save", fmt::format("{}: the model has no parameters; parameters() lists only "
                                         "layers made with child(\"name\")",
                                         path));
  Saved saved{.runnable = true, .reason = {}};
  if (!about.layers.empty()) {
    spec::features_of(about);
    if (const auto misfits = spec::differences(about, sizes_of(parameters)); !misfits.empty())
      throw FormatError(
          "save", fmt::format("{}: the description does not fit the weights: {}", path, misfits));
  } else {
    try {
      about = description_of(model, parameters, forward, about);
    } catch (const NotCertain& not_certain) {
      saved = {.runnable = false,
               .reason = not_certain.reason + "; to have one, give save() the whole description"};
    }
  }
  if (saved.runnable)
    nn::save_model(path, about, parameters);
  else
    io::write_safetensors(path, nn::views_of(parameters));
  return saved;
}

void load(nn::Module& model, const std::string& path, bool allow_not_finite) {
  const auto file = io::Safetensors::read(path);
  std::map<std::string, Tensor> own;
  for (const Parameter& p : model.parameters()) own[p.name] = p.value;
  Parameters values;
  for (const io::ArrayView& array : file.arrays()) {
    const auto found = own.find(array.name);
    // For weights that are left over or have too many dimensions, only the name is needed in the
    // error.
    const bool fits = found != own.end() && array.shape.size() <= Shape::max_rank;
    if (!fits) {
      values.push_back({array.name, Tensor::empty({0})});
      continue;
    }
    const Shape shape(array.shape);
    if (shape != found->second.shape()) {
      values.push_back({array.name, Tensor::empty(shape)});
      continue;
    }
    if (const std::size_t count = io::count_not_finite(array); count > 0 && !allow_not_finite)
      throw FormatError("load", fmt::format("{}: {} has {} weights that are NaN or infinite; train "
                                            "it again, or load it with allow_not_finite",
                                            path, array.name, count));
    dispatch("load", found->second.dtype(), [&]<class T>(T*) {
      values.push_back({array.name, Tensor::from(io::floats_of<T>(array), shape)});
    });
  }
  load_by_name(model.parameters(), values, "model", path);
}

}  // namespace unroll
