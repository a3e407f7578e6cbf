#include "golden/recurrent_case.h"

#include "support/any_recurrent.h"
#include "support/tensors.h"
#include "unroll/autograd/ops.h"

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

/// A state of the file as (L D, N, H), a leaf.
Tensor state_of(const GoldenCase& c, std::string_view name) {
  Tensor state = test::tensor_of(c.tensor(name));
  if (state.rank() == 2) state = state.view({1, state.size(0), state.size(1)});
  return state.set_requires_grad(true);
}

/// Whether a result or gradient is there and has the file's numbers.
void close(const GoldenCase& c, const Tensor& got, const std::string& name) {
  ASSERT_TRUE(got.defined()) << name;
  EXPECT_TRUE(test::is_close(got.to_vector(), c.values(name), c.tolerance())) << name;
}

/// Compares a result, and gives its part of the loss.
Tensor weighed(const GoldenCase& c, const Tensor& got, const std::string& name) {
  close(c, got, name);
  return sum(got * test::tensor_of(c.tensor("grad_" + name)).view(got.shape()));
}

}  // namespace

void run_recurrent_case(const GoldenCase& c, const nn::RecurrentRegularisation& regularisation,
                        std::span<const nn::RecurrentMasks> masks) {
  const nlohmann::json& d = c.description;
  const auto rnn = test::make_recurrent(test::recurrent_kind_of(d.at("kind")), d.at("I"), d.at("H"),
                                        {.num_layers = d.value("layers", 1),
                                         .bias = d.value("bias", true),
                                         .batch_first = d.value("batch_first", false),
                                         .bidirectional = d.value("bidirectional", false),
                                         .regularisation = regularisation,
                                         .dtype = d.at("dtype") == "f64" ? DType::f64 : DType::f32},
                                        d.value("proj_size", 0));
  rnn->layer().load(parameters_of(c));
  rnn->layer().train(d.value("training", true));
  const auto lengths = d.value("lengths", std::vector<std::int64_t>());
  Tensor input = test::tensor_of(c.tensor("input"));
  input.set_requires_grad(true);
  nn::State initial;
  if (c.file.find("h_0")) initial.h = state_of(c, "h_0");
  if (c.file.find("c_0")) initial.c = state_of(c, "c_0");

  const auto [output, h_n, c_n] = (*rnn)(input, initial, {.lengths = lengths, .masks = masks});
  Tensor loss = weighed(c, output, "output") + weighed(c, h_n, "h_n");
  if (c_n.defined()) loss = loss + weighed(c, c_n, "c_n");
  loss.backward();
  close(c, input.grad(), "grad_input");
  if (initial.h.defined()) close(c, initial.h.grad(), "grad_h_0");
  if (initial.c.defined()) close(c, initial.c.grad(), "grad_c_0");
  for (const Parameter& p : rnn->layer().parameters()) close(c, p.value.grad(), "grad." + p.name);
}

}  // namespace unroll::golden
