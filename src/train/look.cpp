#include "train/look.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "autograd/node.h"
#include "core/evenly_spaced.h"
#include "core/float_environment.h"
#include "nn/batch_gradient.h"
#include "spec/layer_name.h"
#include "tensor/tensor_impl.h"
#include "train/chunks.h"
#include "train/observer.h"
#include "train/unstacked.h"

namespace unroll::train {
namespace {

constexpr std::int64_t kMostRows = 32, kMostSteps = 1000;
constexpr std::size_t kMostTimes = 64;
/// The most states of recurrent layers with their gates, and outputs, that a look keeps: 64 MB of
/// f32. The tape takes some more.
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

/// Gathers what flows through a network, and the gradients that come back.
class Gathering : public Observer {
 public:
  struct Layer {
    SpreadSums activations;
    std::optional<Alive> alive;
    std::vector<double> gradient;
  };

  explicit Gathering(std::int64_t steps)
      : times_(evenly_spaced(static_cast<std::size_t>(steps), kMostTimes)) {}

  void output(const std::string& layer, const Tensor& y) override { add(layers_[layer], y); }

  void activated(const std::string& layer, const Tensor& y, bool relu) override {
    if (relu) add_alive(layers_[layer], y);
  }

  Tensor states(const std::string& layer, std::int64_t t, const Tensor& h, bool relu) override {
    add(layers_[layer], h);
    if (relu) add_alive(layers_[layer], h);
    const auto at = std::ranges::find(times_, static_cast<std::size_t>(t));
    if (at == times_.end()) return h;
    // The same numbers again, so that the gradient passes by here.
    return autograd::with_backward(
        make_view(h.detach(), h.shape(), 0),
        [this, layer, shape = h.shape(), place = static_cast<std::size_t>(at - times_.begin())](
            const autograd::Gradient& g, std::span<autograd::Gradient> inputs) {
          inputs[0].value = g.dense(shape);
          std::vector<double>& norms = layers_[layer].gradient;
          norms.resize(times_.size());
          SpreadSums sums;
          for_values(inputs[0].value, [&](double value) { sums.add(value); });
          norms[place] = sums.norm();
        },
        h);
  }

  const std::vector<std::size_t>& times() const { return times_; }  // from 0
  std::map<std::string, Layer>& layers() { return layers_; }

 private:
  static void add(Layer& to, const Tensor& y) {
    for_values(y, [&](double value) { to.activations.add(value); });
  }
  static void add_alive(Layer& to, const Tensor& y) {
    if (!to.alive) to.alive.emplace();
    to.alive->add(y);
  }

  std::vector<std::size_t> times_;
  std::map<std::string, Layer> layers_;
};

struct WeightSums {
  std::string layer;
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

/// Sums over the weights of each layer, in the order of the layers. All models are unstacked.
std::vector<WeightSums> weight_sums(const Unstacked& model, const Unstacked& before,
                                    const Unstacked& after) {
  std::vector<WeightSums> all;
  for (std::size_t i = 0; i < model.weights.size(); ++i) {
    const Parameter& weight = model.weights[i];
    const std::string* owner = nullptr;
    for (const spec::LayerSpec& layer : model.spec.layers)
      if (const std::string* name = spec::name_of_layer(layer);
          name && weight.name.starts_with(*name + "."))
        owner = name;
    auto at = std::ranges::find(all, *owner, &WeightSums::layer);
    if (at == all.end()) {
      all.push_back({*owner, {}, {}, {}});
      at = std::prev(all.end());
    }
    for_values(weight.value, [&](double value) { at->weights.add(value); });
    if (!after.weights.empty()) at->add_update(before.weights[i].value, after.weights[i].value);
  }
  return all;
}

/// The sum over the outputs of their variance between samples.
double variance_between(const Tensor& values) {
  const auto width = static_cast<std::size_t>(values.size(-1));
  std::vector<SpreadSums> columns(width);
  std::size_t i = 0;
  for_values(values, [&](double value) { columns[i++ % width].add(value); });
  double variance = 0;
  for (const SpreadSums& column : columns) {
    const double deviation = column.spread().deviation;
    variance += deviation * deviation;
  }
  return variance;
}

/// Deviation of the outputs between samples, as a share of the targets' own, or of the outputs'
/// root mean square if the targets are classes.
double spread_of(const Tensor& outputs, const Tensor& targets) {
  double square = 0;
  if (targets.dtype() != DType::i64) {
    square = variance_between(targets);
  } else {
    SpreadSums all;
    for_values(outputs, [&](double value) { all.add(value); });
    square = all.norm() * all.norm() / static_cast<double>(outputs.numel() / outputs.size(-1));
  }
  return square == 0 ? 0 : std::sqrt(variance_between(outputs) / square);
}

/// The numbers that a look at one time step of one sample keeps.
std::int64_t kept_each_step(const spec::ModelSpec& spec, bool every_step) {
  std::int64_t sum = every_step ? 2 * spec::outputs_of(spec) : 0;
  for (const spec::LayerSpec& layer : spec.layers)
    if (const auto* r = std::get_if<spec::RecurrentSpec>(&layer))
      sum += r->num_layers * (r->gates() + 2) * r->hidden_size;
  return std::max<std::int64_t>(sum, 1);
}

/// The part of a batch that a look takes: some rows, and their last time steps.
struct Part {
  Tensor inputs, targets;
  std::int64_t first_step = 0, steps = 1;
};

Part part_of(const spec::ModelSpec& spec, const data::Examples& batch, bool every_step,
             std::int64_t most_steps) {
  Part part;
  const std::int64_t kept = kept_each_step(spec, every_step);
  const bool sequence = spec::is_sequence(spec.input);
  const std::int64_t all = sequence ? batch.inputs.size(1) : 1;
  part.steps = std::clamp<std::int64_t>(kMostKept / kept, 1, std::min(all, most_steps));
  part.first_step = all - part.steps;
  std::int64_t rows = std::min(batch.inputs.size(0), kMostRows);
  if (!batch.lengths.empty())  // the longest sequences are in front
    rows = std::min<std::int64_t>(rows, std::ranges::count(batch.lengths, batch.lengths.front()));
  rows = std::clamp<std::int64_t>(kMostKept / (kept * part.steps), 1, rows);
  const BatchPart first{Shards(static_cast<std::size_t>(rows), 1)};
  part.inputs = nn::rows_of(batch.inputs, first);
  part.targets = nn::rows_of(batch.targets, first);
  if (part.first_step == 0) return part;
  part.inputs = steps_of(part.inputs, part.first_step, part.steps);
  if (every_step) part.targets = steps_of(part.targets, part.first_step, part.steps);
  return part;
}

}  // namespace

Inside look_inside(const spec::ModelSpec& spec, const Parameters& weights, const Updates& updates,
                   const data::Examples& batch, const Objective& objective,
                   std::int64_t chunk_steps) {
  const FloatEnvironment environment;
  const Unstacked model = unstacked(spec, weights);
  const std::unique_ptr<Network> network = network_of(model);
  // Only states need gradients. A learnt initial state stays on the tape: it begins it.
  for (Parameter& p : network->parameters())
    if (!p.name.ends_with(".h_0")) p.value.set_requires_grad(false);

  const Part part = part_of(spec, batch, objective.target().every_step(),
                            chunk_steps > 0 ? std::min(chunk_steps, kMostSteps) : kMostSteps);
  Gathering gathering(part.steps);
  const Tensor outputs = (*network)(part.inputs, gathering);
  if (const double terms = objective.terms(part.targets); terms > 0) {
    const Tensor loss = objective.loss(outputs, part.targets, terms);
    if (loss.requires_grad()) loss.backward();
  }

  Inside inside;
  inside.rows = part.inputs.size(0);
  inside.update_steps = updates.steps;
  inside.output_spread = spread_of(outputs, part.targets);
  Unstacked before, after;
  if (updates.steps > 0) {
    before = unstacked(spec, updates.before);
    after = unstacked(spec, updates.after);
  }
  for (const WeightSums& sums : weight_sums(model, before, after)) {
    LayerInside layer;
    layer.name = sums.layer;
    layer.weights = sums.weights.spread();
    if (updates.steps > 0) {
      layer.updates = sums.updates.spread();
      if (const double size = sums.before.norm(); size > 0)
        layer.moved = sums.updates.norm() / size;
    }
    if (const auto at = gathering.layers().find(layer.name); at != gathering.layers().end()) {
      layer.activations = at->second.activations.spread();
      if (at->second.alive) layer.dead = at->second.alive->dead();
      layer.gradient = at->second.gradient;
      if (!layer.gradient.empty() && inside.times.empty())
        for (const std::size_t t : gathering.times())
          inside.times.push_back(part.first_step + static_cast<std::int64_t>(t) + 1);
    }
    inside.layers.push_back(std::move(layer));
  }
  return inside;
}

}  // namespace unroll::train
