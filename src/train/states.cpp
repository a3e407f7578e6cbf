#include "train/states.h"

#include <utility>

#include "core/float_environment.h"
#include "spec/layer_name.h"
#include "tensor/tensor_impl.h"
#include "train/observer.h"
#include "train/unstacked.h"
#include "unroll/autograd/no_grad.h"

namespace unroll::train {
namespace {

class StateCopies : public Observer {
 public:
  StateCopies(const spec::ModelSpec& spec, std::int64_t steps) : spec_(spec), steps_(steps) {}

  void output(const std::string& layer, const Tensor& y) override {
    for (const spec::LayerSpec& each : spec_.layers)
      if (const auto* r = std::get_if<spec::RecurrentSpec>(&each); r && r->name == layer)
        copies[layer] = y.detach();
  }
  void activated(const std::string&, const Tensor&, bool) override {}
  Tensor states(const std::string& layer, std::int64_t t, const Tensor& h, bool) override {
    Tensor& copy = copies[layer];
    if (!copy.defined()) copy = Tensor::empty({h.size(0), steps_of(layer), h.size(1)}, h.dtype());
    copy_into(copy.select(1, t), h.detach());
    return h;
  }

  std::map<std::string, Tensor> copies;

 private:
  /// The steps that a layer reads, after the convolutions before it.
  std::int64_t steps_of(const std::string& layer) const {
    std::int64_t steps = steps_;
    for (const spec::LayerSpec& each : spec_.layers) {
      if (const std::string* name = spec::name_of_layer(each); name && *name == layer) break;
      if (const auto* c = std::get_if<spec::Conv1dSpec>(&each)) steps = c->windows.outputs(steps);
    }
    return steps;
  }

  const spec::ModelSpec& spec_;
  std::int64_t steps_;
};

}  // namespace

std::map<std::string, Tensor> states_of(const spec::ModelSpec& spec, const Parameters& weights,
                                        const Tensor& inputs,
                                        std::span<const std::int64_t> lengths) {
  const NoGrad no_grad;
  const FloatEnvironment environment;
  const Unstacked model = unstacked(spec, weights);
  StateCopies copies(model.spec, inputs.size(1));
  (*network_of(model))(inputs, copies, lengths);
  return std::move(copies.copies);
}

}  // namespace unroll::train
