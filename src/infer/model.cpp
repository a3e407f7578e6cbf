#include "unroll/infer/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/float_environment.h"
#include "infer/compiled.h"
#include "infer/sequences.h"
#include "infer/tokens.h"
#include "infer/vectors.h"
#include "unroll/core/error.h"
#include "unroll/infer/stream.h"

namespace unroll::infer {
namespace {

/// Whether a b c = size, without overflow.
bool is_product(std::size_t size, std::size_t a, std::size_t b, std::size_t c) {
  std::size_t ab = 0, abc = 0;
  return !__builtin_mul_overflow(a, b, &ab) && !__builtin_mul_overflow(ab, c, &abc) && abc == size;
}

void check_lengths(std::span<const std::size_t> lengths, std::size_t batch, std::size_t steps,
                   bool sequences, std::size_t shortest) {
  const auto check_shortest = [&](std::size_t n, std::size_t length) {
    if (length < shortest)
      throw ShapeError("infer", fmt::format("sequence {} has {} step{}, expected at least {}: the "
                                            "model's convolutions need as many",
                                            n, length, length == 1 ? "" : "s", shortest));
  };
  if (lengths.empty()) {
    if (sequences) check_shortest(0, steps);
    return;
  }
  if (!sequences)
    throw ShapeError("infer", "lengths are given, but the model reads no sequences; give none");
  if (lengths.size() != batch)
    throw ShapeError("infer", fmt::format("{} lengths given, expected {}: one for each sequence",
                                          lengths.size(), batch));
  for (std::size_t n = 0; n < batch; ++n) {
    if (lengths[n] < 1 || lengths[n] > steps)
      throw ShapeError("infer", fmt::format("sequence {} has length {}, expected 1 to {}", n,
                                            lengths[n], steps));
    check_shortest(n, lengths[n]);
  }
}

/// Numbers past the end of a sequence are not checked.
template <class T>
void check_tokens(std::span<const T> input, std::size_t tokens, std::size_t batch,
                  std::size_t steps, std::span<const std::size_t> lengths) {
  char text[200];
  for (std::size_t n = 0; n < batch; ++n) {
    const auto own = input.subspan(n * steps, lengths.empty() ? steps : lengths[n]);
    if (const auto wrong = wrong_token(own, n * steps, tokens, text); !wrong.empty())
      throw ValueError("infer", wrong);
  }
}

/// The indices of the sequences, longest first.
std::vector<std::size_t> order_of(std::span<const std::size_t> lengths, std::size_t batch) {
  std::vector<std::size_t> order(batch);
  std::iota(order.begin(), order.end(), 0);
  if (!lengths.empty())
    std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t n) { return lengths[n]; });
  return order;
}

template <class T>
void run_vectors(const Compiled<T>& model, const T* input, std::size_t batch, T* out) {
  constexpr std::size_t kRows = 1024;
  constexpr std::size_t kMemory = std::size_t{1} << 23;  // elements
  const std::size_t inputs = model.inputs(), outputs = model.outputs();
  const std::size_t at_once = std::clamp<std::size_t>(kMemory / VectorRun<T>::row_size(model, 0), 1,
                                                      std::min(batch, kRows));
  VectorRun<T> run(model, 0, at_once);
  for (std::size_t first = 0; first < batch; first += at_once) {
    const std::size_t rows = std::min(at_once, batch - first);
    std::copy_n(run(input + first * inputs, rows), rows * outputs, out + first * outputs);
  }
}

template <class T>
void run_sequences(const Compiled<T>& model, const T* input, std::size_t batch, std::size_t steps,
                   T* out, std::span<const std::size_t> lengths, bool flush) {
  const std::size_t inputs = model.inputs(), outputs = model.outputs(), sample = steps * inputs;
  const std::size_t at_once = SequenceRun<T>::rows_at_once(model, batch, steps);
  const std::vector<std::size_t> order = order_of(lengths, batch);
  const bool as_they_are = std::ranges::is_sorted(order);
  SequenceRun<T> run(model, at_once, steps, flush);
  VectorRun<T> rest(model, model.sequence_stages(), at_once);
  std::vector<T> gathered(as_they_are ? 0 : at_once * sample);
  std::vector<std::size_t> descending(lengths.empty() ? 0 : at_once);
  if (model.gives_sequences() && !lengths.empty()) std::fill_n(out, batch * steps * outputs, T{0});
  for (std::size_t first = 0; first < batch; first += at_once) {
    const std::size_t rows = std::min(at_once, batch - first);
    const T* from = input + first * sample;
    if (!as_they_are) {
      for (std::size_t n = 0; n < rows; ++n)
        std::copy_n(input + order[first + n] * sample, sample, gathered.data() + n * sample);
      from = gathered.data();
    }
    Sequences<T> sequences;
    sequences.input = {from, static_cast<std::ptrdiff_t>(inputs),
                       static_cast<std::ptrdiff_t>(sample)};
    sequences.rows = rows;
    if (!lengths.empty()) {
      for (std::size_t n = 0; n < rows; ++n) descending[n] = lengths[order[first + n]];
      sequences.lengths = descending.data();
    }
    run(sequences, [&](std::size_t t, const T* values, std::ptrdiff_t row, std::size_t count) {
      for (std::size_t n = 0; n < count; ++n)
        std::copy_n(values + static_cast<std::ptrdiff_t>(n) * row, outputs,
                    out + (order[first + n] * steps + t) * outputs);
    });
    if (model.gives_sequences()) continue;
    const T* const results = rest(run.result(), rows);
    for (std::size_t n = 0; n < rows; ++n)
      std::copy_n(results + n * outputs, outputs, out + order[first + n] * outputs);
  }
}

template <class T>
Model<T> from_file(const io::Safetensors& file, const std::string& name, bool allow_not_finite) {
  const auto description = file.metadata().find(spec::ModelSpec::metadata_key);
  if (description == file.metadata().end())
    throw FormatError("model", fmt::format("{} holds weights but no description of the model; make "
                                           "one with spec::from_weights",
                                           name));
  if (!allow_not_finite)
    for (const io::ArrayView& array : file.arrays())
      if (const std::size_t count = io::count_not_finite(array); count > 0)
        throw FormatError("model",
                          fmt::format("{}: {} has {} weights that are NaN or infinite; train "
                                      "it again, or load it with allow_not_finite",
                                      name, array.name, count));
  try {
    return Model<T>(spec::from_json(description->second), file.arrays());
  } catch (const FormatError& error) {
    throw FormatError("model", fmt::format("{}: {}", name, error.what()));
  }
}

}  // namespace

template <class T>
Model<T>::Model(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights)
    : compiled_(std::make_shared<const Compiled<T>>(spec, weights)) {}

template <class T>
Model<T> Model<T>::load(const std::string& path, bool allow_not_finite) {
  return from_file<T>(io::Safetensors::read(path), path, allow_not_finite);
}

template <class T>
Model<T> Model<T>::parse(std::vector<std::byte> bytes, const std::string& name,
                         bool allow_not_finite) {
  return from_file<T>(io::Safetensors::parse(std::move(bytes), name), name, allow_not_finite);
}

template <class T>
const spec::ModelSpec& Model<T>::description() const {
  return compiled_->spec;
}

template <class T>
std::size_t Model<T>::inputs() const {
  return compiled_->inputs();
}

template <class T>
std::size_t Model<T>::outputs() const {
  return compiled_->outputs();
}

template <class T>
void Model<T>::run(std::span<const T> input, std::size_t batch, std::size_t steps, std::span<T> out,
                   std::span<const std::size_t> lengths) const {
  const Compiled<T>& m = *compiled_;
  const std::size_t given = m.gives_sequences() ? steps : 1;
  if (steps < 1)
    throw ShapeError("infer",
                     fmt::format("{} sequence{} of 0 steps given, expected at least 1 step", batch,
                                 batch == 1 ? "" : "s"));
  if ((steps > 1 && !m.reads_sequences()) || !is_product(input.size(), batch, steps, m.inputs()) ||
      !is_product(out.size(), batch, given, m.outputs())) {
    const std::string expected =
        steps > 1 && !m.reads_sequences()
            ? "1 step, because the model reads no sequences"
            : fmt::format("{} and {}", batch * steps * m.inputs(), batch * given * m.outputs());
    throw ShapeError(
        "infer",
        fmt::format(
            "{} inputs and room for {} outputs given for {} sequences of {} steps, expected {}",
            input.size(), out.size(), batch, steps, expected));
  }
  check_lengths(lengths, batch, steps, m.reads_sequences(),
                static_cast<std::size_t>(spec::shortest_sequence(m.spec)));
  if (const std::size_t tokens = m.tokens(); tokens > 0)
    check_tokens(input, tokens, batch, steps, lengths);
  if (batch == 0) return;
  const FloatEnvironment environment;
  if (m.reads_sequences())
    run_sequences(m, input.data(), batch, steps, out.data(), lengths, environment.caller_flushes());
  else
    run_vectors(m, input.data(), batch, out.data());
}

template <class T>
Stream<T> Model<T>::stream(std::size_t count) const {
  if (!compiled_->reads_sequences())
    throw ValueError("stream",
                     "the model reads no sequences, so it has no steps; run it on whole inputs");
  if (const std::string why = spec::reads_ahead(compiled_->spec); !why.empty())
    throw ValueError("stream", fmt::format("{}, so the output at a step depends on later steps; "
                                           "run the model on whole sequences",
                                           why));
  if (count < 1) throw ValueError("stream", "0 sequences given, expected at least 1");
  return Stream<T>(compiled_, count);
}

template class Model<float>;
template class Model<double>;

}  // namespace unroll::infer
