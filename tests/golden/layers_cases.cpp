// Recurrent layers: outputs, final states and every gradient.
#include "golden/golden_case.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"
#include "unroll/nn/rnn.h"

namespace unroll::golden {
namespace {

constexpr std::string_view parameter_prefix = "param.";

Parameters parameters_of(const GoldenCase& c) {
  Parameters parameters;
  for (const io::ArrayView& array : c.file.arrays())
    if (array.name.starts_with(parameter_prefix))
      parameters.push_back({array.name.substr(parameter_prefix.size()), test::tensor_of(array)});
  return parameters;
}

}  // namespace

Outcome run_layers_case(const GoldenCase& c) {
  const nlohmann::json& d = c.description;
  const std::string kind = d.at("kind");
  if (kind != "rnn_relu" && kind != "rnn_tanh") return Outcome::not_supported;
  if (!c.has_only({"set", "dtype", "kind", "T", "N", "I", "H", "layers", "batch_first", "bias"}))
    return Outcome::not_supported;
  nn::Rnn rnn(d.at("I"), d.at("H"),
              {.num_layers = d.value("layers", 1),
               .nonlinearity = kind == "rnn_relu" ? Nonlinearity::relu : Nonlinearity::tanh,
               .bias = d.value("bias", true),
               .batch_first = d.value("batch_first", false),
               .dtype = d.at("dtype") == "f64" ? DType::f64 : DType::f32});
  rnn.load(parameters_of(c));
  Tensor input = test::tensor_of(c.tensor("input")), h_0 = test::tensor_of(c.tensor("h_0"));
  input.set_requires_grad(true);
  h_0.set_requires_grad(true);

  const auto [output, h_n] = rnn(input, h_0);
  const auto close = [&](const Tensor& got, const std::string& name) {
    EXPECT_TRUE(test::is_close(got.to_vector(), c.values(name), c.tolerance())) << name;
  };
  close(output, "output");
  close(h_n, "h_n");
  const Tensor loss = sum(output * test::tensor_of(c.tensor("grad_output"))) +
                      sum(h_n * test::tensor_of(c.tensor("grad_h_n")));
  loss.backward();
  close(input.grad(), "grad_input");
  close(h_0.grad(), "grad_h_0");
  for (const Parameter& p : rnn.parameters()) close(p.value.grad(), "grad." + p.name);
  return Outcome::run;
}

}  // namespace unroll::golden
