// Losses and plain functions: results, and gradients of sum(output * grad_output).
#include <map>

#include "golden/golden_case.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/conv1d.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/max_pool2d.h"

namespace unroll::golden {
namespace {

using Inputs = std::vector<Tensor>;

struct Operation {
  std::vector<std::string> options;  ///< what of the case's description `call` understands
  /// The tensors that `call` gets, in order; one that the file lacks is undefined. Those that have
  /// a gradient in the file must get it.
  std::vector<std::string> inputs;
  Tensor (*call)(const Inputs&, const nlohmann::json&);
};

nn::Reduction reduction_of(const nlohmann::json& description) {
  const std::string name = description.value("reduction", "mean");
  if (name == "none") return nn::Reduction::none;
  return name == "sum" ? nn::Reduction::sum : nn::Reduction::mean;
}

const std::map<std::string, Operation> operations = {
    {"cross_entropy",
     {{"reduction", "weight", "ignore_index", "label_smoothing"},
      {"logits", "target", "weight"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::cross_entropy(in[0], in[1],
                                 {.weight = in[2],
                                  .ignore_index = d.value("ignore_index", -100),
                                  .reduction = reduction_of(d),
                                  .label_smoothing = d.value("label_smoothing", 0.0)});
      }}},
    {"mse",
     {{"reduction"},
      {"prediction", "target_values"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::mse_loss(in[0], in[1], reduction_of(d));
      }}},
    {"l1",
     {{"reduction"},
      {"prediction", "target_values"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::l1_loss(in[0], in[1], reduction_of(d));
      }}},
    {"bce_with_logits",
     {{"reduction"},
      {"logits", "target_values"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::binary_cross_entropy_with_logits(in[0], in[1], reduction_of(d));
      }}},
    {"linear",
     {{},
      {"input", "weight", "bias"},
      [](const Inputs& in, const nlohmann::json&) { return nn::linear(in[0], in[1], in[2]); }}},
    {"conv1d",
     {{"stride", "padding", "dilation", "groups"},
      {"input", "weight", "bias"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::conv1d(in[0], in[1], in[2],
                          {.kernel = in[1].size(2),
                           .stride = d.at("stride"),
                           .padding = d.at("padding"),
                           .dilation = d.at("dilation")},
                          d.at("groups"));
      }}},
    {"conv2d",
     {{"stride", "padding"},
      {"input", "weight", "bias"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::conv2d(in[0], in[1], in[2], d.at("stride").get<std::int64_t>(),
                          d.at("padding").get<std::int64_t>());
      }}},
    {"max_pool2d",
     {{"kernel_size"},
      {"input"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::max_pool2d(in[0], d.at("kernel_size").get<std::int64_t>());
      }}},
    {"embedding",
     {{},
      {"indices", "weight"},
      [](const Inputs& in, const nlohmann::json&) { return nn::embedding(in[0], in[1]); }}},
    {"layer_norm",
     {{"eps"},
      {"input", "weight", "bias"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::layer_norm(in[0], in[1].shape(), in[1], in[2], d.at("eps"));
      }}},
    {"log_softmax",
     {{"dim"},
      {"logits"},
      [](const Inputs& in, const nlohmann::json&) { return log_softmax(in[0]); }}},
};

}  // namespace

Outcome run_losses_case(const GoldenCase& c) {
  const auto found = operations.find(c.description.at("op").get<std::string>());
  if (found == operations.end()) return Outcome::not_supported;
  const Operation& operation = found->second;
  std::vector<std::string> known = operation.options;
  known.insert(known.end(), {"set", "dtype", "name", "op", "note"});
  if (!c.has_only(known)) return Outcome::not_supported;

  Inputs inputs;
  for (const auto& name : operation.inputs) {
    const io::ArrayView* array = c.file.find(name);
    inputs.push_back(array ? test::tensor_of(*array) : Tensor());
    if (c.file.find("grad." + name)) inputs.back().set_requires_grad(true);
  }
  const Tensor output = operation.call(inputs, c.description);
  EXPECT_TRUE(test::is_close(output.to_vector(), c.values("output"), c.tolerance()));
  sum(output * test::tensor_of(c.tensor("grad_output"))).backward();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string name = "grad." + operation.inputs[i];
    if (!c.file.find(name)) continue;
    EXPECT_TRUE(test::is_close(inputs[i].grad().to_vector(), c.values(name), c.tolerance()))
        << name;
  }
  return Outcome::run;
}

}  // namespace unroll::golden
