#include "app/array_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "io/array_index.h"
#include "unroll/core/error.h"

namespace unroll::app {
namespace {

[[noreturn]] void misfit(const io::NpyArray& input, const std::string& expected) {
  throw ShapeError("predict", fmt::format("the array has shape [{}], the model reads {}",
                                          fmt::join(input.shape, ", "), expected));
}

/// The thing that an empty array lacks; empty for any other array.
std::string_view missing_in(const std::vector<std::int64_t>& shape, bool sequences) {
  if (!sequences) return !shape.empty() && shape[0] == 0 ? "inputs" : "";
  if (shape.size() == 3 && shape[0] == 0) return "sequences";
  if (shape.size() != 2 && shape.size() != 3) return "";
  return shape[shape.size() - 2] == 0 ? "steps" : "";
}

/// Says that the array is empty, which is clearer than a shape that does not fit.
void refuse_empty(const io::NpyArray& input, bool sequences) {
  const std::string_view missing = missing_in(input.shape, sequences);
  if (!missing.empty())
    throw ShapeError("predict",
                     fmt::format("the array has shape [{}], which is 0 {}; expected at least 1",
                                 fmt::join(input.shape, ", "), missing));
}

struct Dimensions {
  std::int64_t batch = 1, steps = 1;
  bool has_batch = true;  // false: one sequence
};

Dimensions of_sequences(const io::NpyArray& input, std::int64_t inputs) {
  const std::vector<std::int64_t>& shape = input.shape;
  refuse_empty(input, true);
  // Series with one number a step often have no last dimension.
  if (inputs == 1 && shape.size() == 2 && shape[1] != 1) return {shape[0], shape[1]};
  if ((shape.size() != 2 && shape.size() != 3) || shape.back() != inputs)
    misfit(input, fmt::format("(N, T, {0}) or (T, {0}); with batch_first=False save "
                              "x.transpose(0, 1)",
                              inputs));
  if (shape.size() == 3) return {shape[0], shape[1]};
  return {1, shape[0], false};
}

Dimensions of_tokens(const io::NpyArray& input) {
  const std::vector<std::int64_t>& shape = input.shape;
  if (shape.empty() || shape.size() > 2 || std::ranges::find(shape, 0) != shape.end())
    misfit(input, "tokens (N, T) or (T), at least one");
  if (shape.size() == 2) return {shape[0], shape[1]};
  return {1, shape[0], false};
}

Dimensions of_vectors(const io::NpyArray& input, std::int64_t inputs) {
  const std::vector<std::int64_t>& shape = input.shape;
  const auto total = static_cast<std::int64_t>(input.data.size() / io::size_of(input.type));
  refuse_empty(input, false);
  if (shape.empty() || total % inputs != 0 || (shape[0] != total / inputs && total != inputs))
    misfit(input, fmt::format("(N, ...) with {} numbers each", inputs));
  return {total / inputs, 1};
}

Dimensions dimensions_of(const io::NpyArray& input, const spec::Features& reads) {
  switch (reads.kind) {
    case spec::Features::Kind::sequence:
      return of_sequences(input, reads.size());
    case spec::Features::Kind::tokens:
      return of_tokens(input);
    case spec::Features::Kind::vector:
    case spec::Features::Kind::image:
      break;
  }
  return of_vectors(input, reads.size());
}

template <class T>
void check_tokens(const std::vector<T>& values, const io::NpyArray& input, std::int64_t tokens) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0 && values[i] < static_cast<T>(tokens)) ||
        values[i] != std::floor(values[i]))
      throw FormatError("predict",
                        fmt::format("the array has {:.9g} at {}, expected a token, a whole number "
                                    "from 0 to {}",
                                    values[i], io::index_text(i, input.shape), tokens - 1));
}

}  // namespace

template <class T>
Outputs<T> run_array(const infer::Model<T>& model, const io::NpyArray& input) {
  const spec::ModelSpec& spec = model.description();
  const spec::Features reads = spec::features_of(spec.input);
  const auto [batch, steps, has_batch] = dimensions_of(input, reads);
  const bool each = spec::features_of(spec).back().kind == spec::Features::Kind::sequence;
  Outputs<T> out;
  if (has_batch) out.shape.push_back(batch);
  if (each) out.shape.push_back(steps);
  out.shape.push_back(static_cast<std::int64_t>(model.outputs()));

  const auto values = io::floats_of<T>(input.view());
  if (reads.kind == spec::Features::Kind::tokens) check_tokens(values, input, reads.width);
  out.values.resize(static_cast<std::size_t>(batch * (each ? steps : 1)) * model.outputs());
  model.run(values, static_cast<std::size_t>(batch), static_cast<std::size_t>(steps),
            std::span<T>(out.values));
  return out;
}

template Outputs<float> run_array(const infer::Model<float>&, const io::NpyArray&);
template Outputs<double> run_array(const infer::Model<double>&, const io::NpyArray&);

}  // namespace unroll::app
