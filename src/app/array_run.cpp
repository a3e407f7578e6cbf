#include "app/array_run.h"

#include <fmt/format.h>

#include <string_view>

#include "unroll/core/error.h"

namespace unroll::app {
namespace {

[[noreturn]] void misfit(const io::NpyArray& input, const std::string& expected) {
  throw ShapeError("predict", fmt::format("the array has shape [{}], the model reads {}",
                                          fmt::join(input.shape, ", "), expected));
}

/// What there is none of in an array that holds nothing; empty for another.
std::string_view missing_in(const std::vector<std::int64_t>& shape, bool sequences) {
  if (!sequences) return !shape.empty() && shape[0] == 0 ? "inputs" : "";
  if (shape.size() == 3 && shape[0] == 0) return "sequences";
  if (shape.size() != 2 && shape.size() != 3) return "";
  return shape[shape.size() - 2] == 0 ? "steps" : "";
}

/// Rather than a shape that does not fit.
void refuse_empty(const io::NpyArray& input, bool sequences) {
  const std::string_view missing = missing_in(input.shape, sequences);
  if (!missing.empty())
    throw ShapeError("predict",
                     fmt::format("the array has shape [{}], which is 0 {}; expected at least 1",
                                 fmt::join(input.shape, ", "), missing));
}

}  // namespace

template <class T>
Outputs<T> run_array(const infer::Model<T>& model, const io::NpyArray& input) {
  const spec::ModelSpec& spec = model.description();
  const auto inputs = static_cast<std::int64_t>(model.inputs());
  const std::vector<std::int64_t>& shape = input.shape;
  const auto total = static_cast<std::int64_t>(input.data.size() / io::size_of(input.type));
  std::int64_t batch = 1, steps = 1;
  Outputs<T> out;
  const bool sequences = spec::is_sequence(spec.input);
  refuse_empty(input, sequences);
  // Series of one number a step are saved without a dimension for that.
  const bool flat = sequences && inputs == 1 && shape.size() == 2 && shape[1] != 1;
  if (flat) {
    batch = shape[0];
    steps = shape[1];
  } else if (sequences) {
    if ((shape.size() != 2 && shape.size() != 3) || shape.back() != inputs)
      misfit(input, fmt::format("(N, T, {0}) or (T, {0}); of one with batch_first=False save "
                                "x.transpose(0, 1)",
                                inputs));
    if (shape.size() == 3) batch = shape[0];
    steps = shape[shape.size() - 2];
  } else {
    if (shape.empty() || total % inputs != 0 || (shape[0] != total / inputs && total != inputs))
      misfit(input, fmt::format("(N, ...) with {} numbers each", inputs));
    batch = total / inputs;
  }
  if (shape.size() != 2 || !sequences || flat) out.shape.push_back(batch);
  const bool each = spec::features_of(spec).back().kind == spec::Features::Kind::sequence;
  if (each) out.shape.push_back(steps);
  out.shape.push_back(static_cast<std::int64_t>(model.outputs()));

  const auto values = io::floats_of<T>(input.view());
  out.values.resize(static_cast<std::size_t>(batch * (each ? steps : 1)) * model.outputs());
  model.run(values, static_cast<std::size_t>(batch), static_cast<std::size_t>(steps),
            std::span<T>(out.values));
  return out;
}

template Outputs<float> run_array(const infer::Model<float>&, const io::NpyArray&);
template Outputs<double> run_array(const infer::Model<double>&, const io::NpyArray&);

}  // namespace unroll::app
