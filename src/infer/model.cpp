#include "unroll/infer/model.h"

#include <fmt/format.h>
#include <hwy/aligned_allocator.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <new>

#include "core/float_environment.h"
#include "io/safetensors_header.h"
#include "kernels/parallel_gemm.h"
#include "kernels/recurrent.h"
#include "unroll/core/error.h"

namespace unroll::infer {
namespace {

// Rows at a time: enough to share among threads, few enough that their states stay in cache.
constexpr std::size_t kChunk = 1024;

}  // namespace

/// The weights in the order that the kernels read them.
template <class T>
struct Model<T>::Packed {
  spec::ModelSpec spec;
  hwy::AlignedFreeUniquePtr<T[]> recurrent;  // as kernels::pack lays them out
  std::vector<T> readout_weight;             // (H, C)
  std::vector<T> readout_bias;               // (C)

  kernels::RecurrentShape shape(std::size_t batch, std::size_t steps) const {
    return {batch,
            steps,
            static_cast<std::size_t>(spec.input_size),
            static_cast<std::size_t>(spec.hidden_size),
            static_cast<std::size_t>(spec.num_layers),
            spec.bias,
            spec.nonlinearity};
  }

  /// Elements between rows of states.
  std::size_t state_row() const {
    return kernels::padded_row(static_cast<std::size_t>(spec.hidden_size));
  }

  /// logits (rows, C) of states (rows, S)
  void read_out(const T* states, std::size_t rows, T* logits) const {
    auto g = kernels::dense_product<T>(rows, static_cast<std::size_t>(spec.hidden_size),
                                       static_cast<std::size_t>(spec.outputs), states,
                                       readout_weight.data(), logits);
    g.products[0].a_row = static_cast<std::ptrdiff_t>(state_row());
    g.init = readout_bias.data();
    kernels::parallel_gemm(g);
  }
};

template <class T>
Model<T>::Model(const spec::ModelSpec& spec, std::span<const io::ArrayView> weights) {
  std::map<std::string, spec::Sizes> shapes;
  if (spec.num_layers < 1) throw FormatError("model", "a model without layers");
  for (const auto& w : weights) {
    shapes[w.name] = w.shape;
    std::uint64_t bytes = 0;
    if (!io::bytes_of(w.type, w.shape, bytes) || bytes != w.data.size())
      throw FormatError("model", fmt::format("{} has {} bytes, its shape needs {}", w.name,
                                             w.data.size(), bytes));
  }
  const std::string misfits = spec::differences(spec, shapes);
  if (!misfits.empty()) throw FormatError("model", misfits);

  const FloatEnvironment environment;
  auto packed = std::make_shared<Packed>();
  packed->spec = spec;
  std::map<std::string, std::vector<T>> values;
  for (const auto& w : weights) {
    auto& to = values[w.name];
    to.resize(w.data.size() / io::size_of(w.type));
    io::to_floats(w, std::span<T>(to));
  }
  std::vector<kernels::RecurrentWeights<T>> layers;
  for (std::int64_t l = 0; l < spec.num_layers; ++l) {
    const auto of = [&](const char* name) -> const T* {
      const auto found = values.find(fmt::format("{}.{}_l{}", spec.recurrent, name, l));
      return found == values.end() ? nullptr : found->second.data();
    };
    layers.push_back({of("weight_ih"), of("weight_hh"), of("bias_ih"), of("bias_hh")});
  }
  const kernels::RecurrentShape shape = packed->shape(1, 1);
  const std::size_t size = kernels::RecurrentPlan(shape).packed_size;
  packed->recurrent = hwy::AllocateAligned<T>(size);
  if (!packed->recurrent) throw std::bad_alloc();
  std::fill_n(packed->recurrent.get(), size, T{0});  // what pads the rows, too
  kernels::pack(shape, layers.data(), packed->recurrent.get());

  const auto& weight = values.at(spec.readout + ".weight");  // (C, H)
  const auto outputs = static_cast<std::size_t>(spec.outputs),
             hidden = static_cast<std::size_t>(spec.hidden_size);
  packed->readout_weight.resize(weight.size());
  for (std::size_t c = 0; c < outputs; ++c)
    for (std::size_t h = 0; h < hidden; ++h)
      packed->readout_weight[h * outputs + c] = weight[c * hidden + h];
  packed->readout_bias = values.at(spec.readout + ".bias");
  packed_ = std::move(packed);
}

template <class T>
Model<T> Model<T>::load(const std::string& path) {
  const io::Safetensors file = io::Safetensors::read(path);
  const auto description = file.metadata().find(spec::ModelSpec::metadata_key);
  if (description == file.metadata().end())
    throw FormatError("model", fmt::format("{} holds weights but no description of the model; make "
                                           "one with spec::from_weights",
                                           path));
  return Model(spec::from_json(description->second), file.arrays());
}

template <class T>
const spec::ModelSpec& Model<T>::description() const {
  return packed_->spec;
}

template <class T>
void Model<T>::run(std::span<const T> input, std::size_t batch, std::size_t steps,
                   std::span<T> logits) const {
  const Packed& p = *packed_;
  const auto inputs = static_cast<std::size_t>(p.spec.input_size),
             layers = static_cast<std::size_t>(p.spec.num_layers),
             outputs = static_cast<std::size_t>(p.spec.outputs);
  if (steps < 1 || input.size() != batch * steps * inputs || logits.size() != batch * outputs)
    throw ShapeError("infer", fmt::format("{} inputs and room for {} logits given for {} sequences "
                                          "of {} steps, expected {} and {}",
                                          input.size(), logits.size(), batch, steps,
                                          batch * steps * inputs, batch * outputs));
  const FloatEnvironment environment;
  std::vector<T> states(layers * 2 * std::min(batch, kChunk) * p.state_row());
  for (std::size_t first = 0; first < batch; first += kChunk) {
    const std::size_t rows = std::min(kChunk, batch - first);
    const auto row = static_cast<std::ptrdiff_t>(steps * inputs);
    kernels::forward(kernels::RecurrentForward<T>{
        p.shape(rows, steps), p.recurrent.get(), input.data() + first * steps * inputs,
        static_cast<std::ptrdiff_t>(inputs), row, nullptr, states.data(), 2});
    // After T steps the state of the last layer is in slot T % 2.
    const T* last = states.data() + ((layers - 1) * 2 + steps % 2) * rows * p.state_row();
    p.read_out(last, rows, logits.data() + first * outputs);
  }
}

template <class T>
Stream<T> Model<T>::stream() const {
  return Stream<T>(packed_);
}

template <class T>
Stream<T>::Stream(std::shared_ptr<const typename Model<T>::Packed> packed)
    : packed_(std::move(packed)),
      h_(static_cast<std::size_t>(packed_->spec.num_layers * packed_->spec.hidden_size)),
      next_(h_.size()) {}

template <class T>
void Stream<T>::step(std::span<const T> in, std::span<T> out) {
  check_logits(out);
  step(in);
  logits(out);
}

template <class T>
void Stream<T>::step(std::span<const T> in) {
  const auto& p = *packed_;
  if (in.size() != static_cast<std::size_t>(p.spec.input_size))
    throw ShapeError("infer", fmt::format("{} inputs given, the model reads {} a step", in.size(),
                                          p.spec.input_size));
  const FloatEnvironment environment;
  kernels::step(p.shape(1, 1), p.recurrent.get(), in.data(), started_ ? h_.data() : nullptr,
                next_.data());
  h_.swap(next_);
  started_ = true;
}

template <class T>
void Stream<T>::logits(std::span<T> out) const {
  check_logits(out);
  const auto& p = *packed_;
  const FloatEnvironment environment;
  p.read_out(h_.data() + h_.size() - static_cast<std::size_t>(p.spec.hidden_size), 1, out.data());
}

template <class T>
void Stream<T>::check_logits(std::span<T> out) const {
  if (out.size() != static_cast<std::size_t>(packed_->spec.outputs))
    throw ShapeError("infer", fmt::format("room for {} logits given, the model has {}", out.size(),
                                          packed_->spec.outputs));
}

template <class T>
void Stream<T>::reset() {
  std::ranges::fill(h_, T{0});
  started_ = false;
}

template class Model<float>;
template class Model<double>;
template class Stream<float>;
template class Stream<double>;

}  // namespace unroll::infer
