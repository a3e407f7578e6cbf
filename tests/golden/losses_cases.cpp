// Losses and plain functions: results, and gradients of sum(output * grad_output).
#include <map>

#include "golden/golden_case.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"

namespace unroll::golden {
namespace {

using Inputs = std::vector<Tensor>;

struct Operation {
  std::vector<std::string> options;  ///< what of the case's description `call` understands
  std::vector<std::string> differentiable, constant;
  Tensor (*call)(const Inputs&, const nlohmann::json&);  ///< given both kinds of inputs, in order
};

nn::Reduction reduction_of(const nlohmann::json& description) {
  const std::string name = description.value("reduction", "mean");
  if (name == "none") return nn::Reduction::none;
  return name == "sum" ? nn::Reduction::sum : nn::Reduction::mean;
}

const std::map<std::string, Operation> operations = {
    {"cross_entropy",
     {{"reduction"},
      {"logits"},
      {"target"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::cross_entropy(in[0], in[1], reduction_of(d));
      }}},
    {"mse",
     {{"reduction"},
      {"prediction"},
      {"target_values"},
      [](const Inputs& in, const nlohmann::json& d) {
        return nn::mse_loss(in[0], in[1], reduction_of(d));
      }}},
    {"linear",
     {{},
      {"input", "weight", "bias"},
      {},
      [](const Inputs& in, const nlohmann::json&) { return nn::linear(in[0], in[1], in[2]); }}},
    {"log_softmax",
     {{"dim"},
      {"logits"},
      {},
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
  for (const auto& name : operation.differentiable)
    inputs.push_back(test::tensor_of(c.tensor(name)).set_requires_grad(true));
  for (const auto& name : operation.constant) inputs.push_back(test::tensor_of(c.tensor(name)));
  const Tensor output = operation.call(inputs, c.description);
  EXPECT_TRUE(test::is_close(output.to_vector(), c.values("output"), c.tolerance()));
  sum(output * test::tensor_of(c.tensor("grad_output"))).backward();
  for (std::size_t i = 0; i < operation.differentiable.size(); ++i) {
    const std::string name = "grad." + operation.differentiable[i];
    EXPECT_TRUE(test::is_close(inputs[i].grad().to_vector(), c.values(name), c.tolerance()))
        << name;
  }
  return Outcome::run;
}

}  // namespace unroll::golden
