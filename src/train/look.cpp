#include "train/look.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "autograd/node.h"
#include "core/float_environment.h"
#include "tensor/tensor_impl.h"
#include "train/network.h"
#include "train/observer.h"
#include "unroll/autograd/no_grad.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kMostRows = 32, kMostTimes = 64;
/// The most states of recurrent layers, with their gates, that a look keeps: 64 MB of f32.
constexpr std::int64_t kMostKept = std::int64_t{1} << 24;

/// Calls f(value) for each element as a double, in order.
template <class F>
void for_values(const Tensor& x, F&& f) {
  const Tensor whole = x.detach().contiguous();
  dispatch("look inside", whole.dtype(), [&]<class T>(T*) {
    for (const T value : raw_values<T>(whole)) f(static_cast<double>(value));
  });
}

/// Sums that become a Spread.
class SpreadSums {
 public:
  void add(double value) {
    sum_ += value;
    squares_ += value * value;
    largest_ = std::isnan(value) ? value : std::max(largest_, std::abs(value));
    ++count_;
  }
  Spread spread() const {
    const auto n = static_cast<double>(std::max<std::int64_t>(count_, 1));
    const double mean = sum_ / n, variance = squares_ / n - mean * mean;
    return {mean, std::sqrt(variance < 0 ? 0 : variance), largest_};
  }
  double norm() const { return std::sqrt(squares_); }

 private:
  double sum_ = 0, squares_ = 0, largest_ = 0;
  std::int64_t count_ = 0;
};

/// Which units of a layer gave anything but zeros.
class Alive {
 public:
  /// The units are the last dimension of y, or dimension 1 of (N, C, H, W).
  void add(const Tensor& y) {
    const int d = y.rank() == 4 ? 1 : y.rank() - 1;
    std::int64_t inner = 1;
    for (int after = d + 1; after < y.rank(); ++after) inner *= y.size(after);
    const auto units = static_cast<std::size_t>(y.size(d));
    alive_.resize(units, false);
    std::size_t i = 0;
    for_values(y, [&](double value) {
      if (value != 0) alive_[i / static_cast<std::size_t>(inner) % units] = true;
      ++i;
    });
  }
  std::optional<double> dead() const {
    if (alive_.empty()) return {};
    return static_cast<double>(std::ranges::count(alive_, false)) /
           static_cast<double>(alive_.size());
  }

 private:
  std::vector<bool> alive_;
};

/// At most kMostTimes of the steps 0 to T - 1, evenly spaced, with the first and the last.
std::vector<std::int64_t> chosen_times(std::int64_t steps) {
  const std::int64_t count = std::min(steps, kMostTimes);
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < count; ++i)
    times.push_back(count == 1 ? 0 : i * (steps - 1) / (count - 1));
  return times;
}

/// The name of layer l of a description's recurrent layer.
std::string layer_name(const std::string& name, std::int64_t l, std::int64_t layers) {
  return layers == 1 ? name : fmt::format("{} l{}", name, l);
}

/// Gathers what flows through a network, and the gradients that come back.
class Gathering : public Observer {
 public:
  struct Layer {
    SpreadSums activations;
    std::optional<Alive> alive;
    std::vector<double> gradient;
  };

  explicit Gathering(std::int64_t steps) : times_(chosen_times(steps)) {}

  void output(const std::string& layer, const Tensor& y) override { add(layers_[layer], y); }

  void activated(const std::string& layer, const Tensor& y, bool relu) override {
    if (!relu) return;
    Layer& to = layers_[layer];
    if (!to.alive) to.alive.emplace();
    to.alive->add(y);
  }

  Tensor states(const std::string& layer, std::int64_t t, const Tensor& h, bool relu) override {
    for (std::int64_t l = 0; l < h.size(0); ++l) {
      Layer& to = layers_[layer_name(layer, l, h.size(0))];
      const Tensor states = h.detach().select(0, l);
      add(to, states);
      if (!relu) continue;
      if (!to.alive) to.alive.emplace();
      to.alive->add(states);
    }
    const auto at = std::ranges::find(times_, t);
    if (at == times_.end()) return h;
    // The same numbers again, so that the gradient passes by here.
    return autograd::with_backward(
        make_view(h, h.shape(), 0),
        [this, layer, shape = h.shape(), place = static_cast<std::size_t>(at - times_.begin())](
            const autograd::Gradient& g, std::span<autograd::Gradient> inputs) {
          inputs[0].value = g.dense(shape);
          for (std::int64_t l = 0; l < shape[0]; ++l) {
            std::vector<double>& norms = layers_[layer_name(layer, l, shape[0])].gradient;
            norms.resize(times_.size());
            SpreadSums sums;
            for_values(inputs[0].value.select(0, l), [&](double value) { sums.add(value); });
            norms[place] = sums.norm();
          }
        },
        h);
  }

  const std::vector<std::int64_t>& times() const { return times_; }
  std::map<std::string, Layer>& layers() { return layers_; }

 private:
  static void add(Layer& to, const Tensor& y) {
    for_values(y, [&](double value) { to.activations.add(value); });
  }

  std::vector<std::int64_t> times_;
  std::map<std::string, Layer> layers_;
};

/// The name of the layer that a parameter belongs to: "rnn l1" for "rnn.weight_ih_l1_reverse".
std::string layer_of(const std::string& parameter, const spec::ModelSpec& spec) {
  const std::size_t dot = parameter.rfind('.');
  for (const spec::LayerSpec& layer : spec.layers) {
    const auto* r = std::get_if<spec::RecurrentSpec>(&layer);
    if (!r || !parameter.starts_with(r->name + ".")) continue;
    std::int64_t at = 0;  // learnt initial states count as the first layer's
    for (std::int64_t l = 0; l < r->num_layers; ++l) {
      const std::string end = fmt::format("_l{}", l);
      const std::size_t found = parameter.find(end, r->name.size());
      if (found == std::string::npos) continue;
      const std::size_t after = found + end.size();
      if (after == parameter.size() || parameter[after] == '_' || parameter[after] == '.') at = l;
    }
    return layer_name(r->name, at, r->num_layers);
  }
  return parameter.substr(0, dot);
}

struct WeightSums {
  SpreadSums weights, before, updates;

  void add_update(const Tensor& old, const Tensor& now) {
    dispatch("look inside", old.dtype(), [&]<class T>(T*) {
      const std::span<const T> a = raw_values<T>(old), b = raw_values<T>(now);
      for (std::size_t i = 0; i < a.size(); ++i) {
        before.add(static_cast<double>(a[i]));
        updates.add(static_cast<double>(b[i]) - static_cast<double>(a[i]));
      }
    });
  }
};

/// Standard deviation between samples, as a share of the outputs' root mean square.
double spread_of(const Tensor& outputs) {
  const auto width = static_cast<std::size_t>(outputs.size(-1));
  std::vector<SpreadSums> columns(width);
  std::size_t i = 0;
  SpreadSums all;
  for_values(outputs, [&](double value) {
    columns[i++ % width].add(value);
    all.add(value);
  });
  double variance = 0;
  for (const SpreadSums& column : columns) {
    const double deviation = column.spread().deviation;
    variance += deviation * deviation / static_cast<double>(width);
  }
  const double square = all.norm() * all.norm() / static_cast<double>(outputs.numel());
  return square == 0 ? 0 : std::sqrt(variance / square);
}

/// States and gates that a recurrent layer computes for one sample, over all steps.
std::int64_t kept_states(const spec::ModelSpec& spec, std::int64_t steps) {
  std::int64_t sum = 0;
  for (const spec::LayerSpec& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer))
      sum += r->num_layers * (r->gates() + 2) * r->hidden_size;
  return sum * steps;
}

/// The first rows of x, as a view.
Tensor first_rows(const Tensor& x, std::int64_t rows) {
  Shape shape = x.shape();
  shape[0] = rows;
  return make_view(x, shape, 0);
}

/// Copies the states of recurrent layers.
class StateCopies : public Observer {
 public:
  explicit StateCopies(const spec::ModelSpec& spec, std::int64_t steps)
      : spec_(spec), steps_(steps) {}

  void output(const std::string& layer, const Tensor& y) override {
    for (const spec::LayerSpec& each : spec_.layers)
      if (const auto* r = std::get_if<spec::RecurrentSpec>(&each); r && r->name == layer)
        copies[layer] = y.detach();
  }
  void activated(const std::string&, const Tensor&, bool) override {}
  Tensor states(const std::string& layer, std::int64_t t, const Tensor& h, bool) override {
    for (std::int64_t l = 0; l < h.size(0); ++l) {
      Tensor& copy = copies[layer_name(layer, l, h.size(0))];
      if (!copy.defined()) copy = Tensor::empty({h.size(1), steps_, h.size(2)}, h.dtype());
      copy_into(copy.select(1, t), h.detach().select(0, l));
    }
    return h;
  }

  std::map<std::string, Tensor> copies;

 private:
  const spec::ModelSpec& spec_;
  std::int64_t steps_;
};

/// Sums over the weights of each layer, in the order of the layers.
std::vector<std::pair<std::string, WeightSums>> weight_sums(const spec::ModelSpec& spec,
                                                            const Parameters& weights,
                                                            const Updates& updates) {
  std::vector<std::pair<std::string, WeightSums>> all;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::string layer = layer_of(weights[i].name, spec);
    auto at = std::ranges::find(all, layer, &std::pair<std::string, WeightSums>::first);
    if (at == all.end()) at = all.insert(at, {layer, {}});
    for_values(weights[i].value, [&](double value) { at->second.weights.add(value); });
    if (updates.steps > 0) at->second.add_update(updates.before[i].value, updates.after[i].value);
  }
  return all;
}

}  // namespace

Inside look_inside(const spec::ModelSpec& spec, const Parameters& weights, const Updates& updates,
                   const data::Examples& batch, const Objective& objective) {
  const FloatEnvironment environment;
  Generator unused(0);
  Network network(spec, unused, {.dtype = weights.front().value.dtype()});
  network.load(weights);
  network.eval();
  // Only states need gradients. A learnt initial state stays on the tape: it begins it.
  for (Parameter& p : network.parameters())
    if (!p.name.ends_with("h_0")) p.value.set_requires_grad(false);

  const std::int64_t steps = spec::is_sequence(spec.input) ? batch.inputs.size(1) : 1;
  std::int64_t rows = std::min(batch.inputs.size(0), kMostRows);
  if (!batch.lengths.empty())  // the longest sequences are in front
    rows = std::min<std::int64_t>(rows, std::ranges::count(batch.lengths, batch.lengths.front()));
  rows = std::clamp<std::int64_t>(kMostKept / std::max<std::int64_t>(kept_states(spec, steps), 1),
                                  1, rows);

  Gathering gathering(steps);
  const Tensor targets = first_rows(batch.targets, rows);
  const Tensor outputs = network(first_rows(batch.inputs, rows), gathering);
  if (const std::int64_t terms = objective.terms(targets); terms > 0) {
    const Tensor loss = objective.loss(outputs, targets, terms);
    if (loss.requires_grad()) loss.backward();
  }

  Inside inside;
  inside.rows = rows;
  inside.update_steps = updates.steps;
  inside.output_spread = spread_of(outputs);
  for (const auto& [name, sums] : weight_sums(spec, weights, updates)) {
    LayerInside layer;
    layer.name = name;
    layer.weights = sums.weights.spread();
    if (updates.steps > 0) {
      layer.updates = sums.updates.spread();
      if (const double size = sums.before.norm(); size > 0)
        layer.moved = sums.updates.norm() / size;
    }
    if (const auto at = gathering.layers().find(name); at != gathering.layers().end()) {
      layer.activations = at->second.activations.spread();
      if (at->second.alive) layer.dead = at->second.alive->dead();
      layer.gradient = at->second.gradient;
      if (!layer.gradient.empty() && inside.times.empty())
        for (const std::int64_t t : gathering.times()) inside.times.push_back(t + 1);
    }
    inside.layers.push_back(std::move(layer));
  }
  return inside;
}

std::map<std::string, Tensor> states_of(const spec::ModelSpec& spec, const Parameters& weights,
                                        const Tensor& inputs) {
  const NoGrad no_grad;
  const FloatEnvironment environment;
  Generator unused(0);
  Network network(spec, unused, {.dtype = weights.front().value.dtype()});
  network.load(weights);
  network.eval();
  StateCopies copies(spec, inputs.size(1));
  network(inputs, copies);
  return std::move(copies.copies);
}

}  // namespace unroll::train
