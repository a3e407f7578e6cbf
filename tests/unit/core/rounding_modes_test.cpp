// Rule 7 of docs/numerics.md: no rounding mode, and no flushing to zero, of the caller's reaches a
// number. Every entry of the library that computes is here.
#include <gtest/gtest.h>

#include <bit>
#include <cctype>
#include <cfenv>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "support/flush_to_zero.h"
#include "support/specs.h"
#include "support/temporary_folder.h"
#include "unroll/autograd/ops.h"
#include "unroll/data/bucket_loader.h"
#include "unroll/data/loader.h"
#include "unroll/data/sequence_tasks.h"
#include "unroll/infer/model.h"
#include "unroll/infer/stream.h"
#include "unroll/io/npy.h"
#include "unroll/io/safetensors.h"
#include "unroll/nn/activation_regularisation.h"
#include "unroll/nn/conv2d.h"
#include "unroll/nn/dropout.h"
#include "unroll/nn/embedding.h"
#include "unroll/nn/gru.h"
#include "unroll/nn/init.h"
#include "unroll/nn/layer_norm.h"
#include "unroll/nn/linear.h"
#include "unroll/nn/loss.h"
#include "unroll/nn/lstm.h"
#include "unroll/nn/mask.h"
#include "unroll/nn/max_pool2d.h"
#include "unroll/nn/readout.h"
#include "unroll/nn/rnn.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/plateau.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/schedule.h"
#include "unroll/optim/sgd.h"
#include "unroll/tensor/ops.h"

namespace unroll {
namespace {

using Numbers = std::vector<double>;

struct Entry {
  std::string name;
  std::function<Numbers()> compute;
};

Numbers joined(const std::vector<Tensor>& tensors) {
  Numbers all;
  for (const Tensor& t : tensors)
    if (t.defined())
      for (const double v : t.to_vector()) all.push_back(v);
  return all;
}

Numbers parameters_of(nn::Module&& module) {
  Numbers all;
  for (const Parameter& p : module.parameters())
    for (const double v : p.value.to_vector()) all.push_back(v);
  return all;
}

/// Numbers without a short form in binary, made without arithmetic that rounds in the test.
Tensor thirds(const Shape& shape, DType dtype = DType::f32) {
  Generator generator(5);
  std::vector<float> values(static_cast<std::size_t>(shape.numel()));
  for (float& v : values)
    v = static_cast<float>(static_cast<std::int32_t>(generator.next_u32() >> 8) - (1 << 23)) *
        0x1p-23f;
  Tensor made = Tensor::from(values, shape);
  return dtype == DType::f32 ? made : made.to(dtype);
}

/// The output of f of a leaf, and the leaf's gradient.
Numbers with_gradient(const Tensor& values, const std::function<Tensor(const Tensor&)>& f) {
  Tensor x = values.clone();
  x.set_requires_grad(true);
  const Tensor y = f(x);
  y.backward(Tensor::full(y.shape(), 0.7, y.dtype()));
  return joined({y, x.grad()});
}

/// Three steps of an optimizer.
Numbers trained(const std::function<std::unique_ptr<optim::Optimizer>(const Parameters&)>& make) {
  Tensor w = thirds({6, 4});
  w.set_requires_grad(true);
  const auto optimizer = make({{"w", w, 1}});
  optimizer->set_lr_factor(1.0 / 3);
  for (int i = 0; i < 3; ++i) {
    optimizer->zero_grad();
    sum(w * w * w).backward();
    optimizer->step();
  }
  Numbers all = w.to_vector();
  for (const Parameter& p : optimizer->state())
    for (const double v : p.value.to_vector()) all.push_back(v);
  return all;
}

Numbers of_schedule(const std::function<optim::Schedule()>& make) {
  const optim::Schedule schedule = make();
  Numbers all;
  for (std::int64_t step = 0; step < 12; ++step) all.push_back(schedule(step));
  return all;
}

/// 1e-40 and the like, given without a conversion.
Tensor subnormal() {
  std::vector<float> values;
  for (const std::uint32_t bits : {3u, 70000u, 5u, 70000u, 0u, 0x80000001u}) {
    float v;
    static_assert(sizeof v == sizeof bits);
    std::memcpy(&v, &bits, sizeof v);
    values.push_back(v);
  }
  return Tensor::from(values, {2, 3});
}

spec::ModelSpec model_spec() {
  return test::recurrent_spec({.name = "lstm",
                               .cell = spec::Cell::lstm,
                               .input_size = 4,
                               .hidden_size = 6,
                               .zoneout_h = 0.1,
                               .readout = spec::Readout::mean},
                              3);
}

infer::Model<float> made_model() {
  static const std::vector<std::vector<double>> values = [] {
    std::vector<std::vector<double>> all;
    std::uint64_t seed = 0;
    for (const auto& [name, sizes] : spec::weights_of(model_spec())) {
      std::int64_t count = 1;
      for (const std::int64_t size : sizes) count *= size;
      Generator generator(++seed);
      generator.uniform(all.emplace_back(static_cast<std::size_t>(count)), -1, 1);
    }
    return all;
  }();
  std::vector<io::ArrayView> weights;
  for (std::size_t i = 0; const auto& [name, sizes] : spec::weights_of(model_spec()))
    weights.push_back({name, io::ElementType::f64, sizes, std::as_bytes(std::span(values[i++]))});
  return {model_spec(), weights};
}

std::vector<Entry> entries() {
  using enum DType;
  std::vector<Entry> all{
      {"full",
       [] {
         return joined({Tensor::full({2}, 0.1), Tensor::full({2}, 1 / 3.0)});
       }},
      {"to f32", [] { return thirds({5}, f64).to(f32).to_vector(); }},
      {"to f32 of a third", [] { return Tensor::full({1}, 1 / 3.0, f64).to(f32).to_vector(); }},
      {"i64 to floats",
       [] {
         const std::vector<std::int64_t> big{(1ll << 60) + 1, (1ll << 25) + 1};
         const Tensor x = Tensor::from(big, {2});
         Numbers n = joined({x.to(f32), x.to(f64)});
         n.push_back(x.select(0, 0).item());
         return n;
       }},
      {"argmax and count_equal of subnormal numbers",
       [] {
         Numbers n = argmax(subnormal(), 1).to_vector();
         n.push_back(static_cast<double>(count_equal(subnormal(), Tensor::zeros({2, 3}))));
         return n;
       }},
      {"mean in f64", [] { return Numbers{mean(thirds({7}, f64)).item()}; }},
      {"cat and views",
       [] {
         return cat(thirds({2, 3}), thirds({2, 3}), 1).to_vector();
       }},
  };
  const auto op = [&](const std::string& name, auto f, const Shape& shape = {3, 4}) {
    for (const DType dtype : {f32, f64})
      all.push_back({name + (dtype == f32 ? "" : " f64"),
                     [=] { return with_gradient(thirds(shape, dtype), f); }});
  };
  op("add", [](const Tensor& x) { return x + x * x; });
  op("sub", [](const Tensor& x) { return x - x * x; });
  op("mul by a number", [](const Tensor& x) { return x * (1 / 3.0); });
  op("neg", [](const Tensor& x) { return -x; });
  op("relu", [](const Tensor& x) { return relu(x); });
  op("tanh", [](const Tensor& x) { return tanh(x); });
  op("sigmoid", [](const Tensor& x) { return sigmoid(x); });
  op("softmax", [](const Tensor& x) { return softmax(x); });
  op("log_softmax", [](const Tensor& x) { return log_softmax(x); });
  op("sum", [](const Tensor& x) { return sum(x); });
  op("mean", [](const Tensor& x) { return mean(x); });
  op("matmul", [](const Tensor& x) { return matmul(x, x.transpose(0, 1).contiguous()); });
  op("layer_norm", [](const Tensor& x) { return nn::layer_norm(x, {4}); });
  op("mse_loss", [](const Tensor& x) { return nn::mse_loss(x, x * 0.3); });
  op("l1_loss", [](const Tensor& x) { return nn::l1_loss(x, x * 0.3); });
  op("bce with logits",
     [](const Tensor& x) { return nn::binary_cross_entropy_with_logits(x, sigmoid(x)); });
  op("bce",
     [](const Tensor& x) { return nn::binary_cross_entropy(sigmoid(x), sigmoid(x).detach()); });
  op("cross_entropy", [](const Tensor& x) {
    return nn::cross_entropy(x, Tensor::full({3}, 1, i64), {.label_smoothing = 0.1});
  });
  op("dropout",
     [](const Tensor& x) { return nn::dropout(x, Tensor::full(x.shape(), 1, x.dtype()), 0.3); });
  op("activation_regularisation",
     [](const Tensor& x) { return nn::activation_regularisation(x, 0.3, {}); }, {3, 2, 4});
  op("temporal_activation_regularisation",
     [](const Tensor& x) { return nn::temporal_activation_regularisation(x, 0.3, {}); }, {3, 2, 4});
  op("readout", [](const Tensor& x) { return nn::readout(x, nn::Readout::mean_last, {}); },
     {3, 2, 4});
  op("max_pool2d", [](const Tensor& x) { return nn::max_pool2d(x, {2, 2}); }, {1, 2, 4, 4});
  op("conv2d",
     [](const Tensor& x) {
       return nn::conv2d(x, thirds({2, 2, 3, 3}, x.dtype()), Tensor(), {1, 1}, {1, 1});
     },
     {1, 2, 4, 4});
  op("linear", [](const Tensor& x) { return nn::linear(x, thirds({5, 4}, x.dtype())); });
  for (const DType dtype : {f32, f64}) {
    const std::string end = dtype == f32 ? "" : " f64";
    const auto recurrent = [&](const std::string& name, auto make) {
      all.push_back({name + end, [=] {
                       Generator g(3);
                       auto layer = make(&g, dtype);
                       Tensor x = thirds({5, 3, 4}, dtype);
                       x.set_requires_grad(true);
                       const Tensor y = layer(x).output;
                       y.backward(Tensor::full(y.shape(), 0.7, dtype));
                       Numbers n = joined({y, x.grad()});
                       for (const Parameter& p : layer.parameters())
                         for (const Tensor& t : {p.value, p.value.grad()})
                           for (const double v : t.to_vector()) n.push_back(v);
                       return n;
                     }});
    };
    recurrent("rnn", [](Generator* g, DType d) {
      return nn::Rnn(4, 7, {.num_layers = 2, .dropout = 0.3, .dtype = d, .generator = g});
    });
    recurrent("lstm", [](Generator* g, DType d) {
      return nn::Lstm(4, 7,
                      {.proj_size = 3,
                       .forget_bias = 0.7,
                       .regularisation = {.recurrent_dropout = 0.3,
                                          .zoneout = {.h = 0.1, .c = 0.2},
                                          .layer_norm = true},
                       .dtype = d,
                       .generator = g});
    });
    recurrent("gru", [](Generator* g, DType d) {
      return nn::Gru(4, 7,
                     {.bidirectional = true,
                      .regularisation = {.variational_dropout = {.input = 0.3, .state = 0.3},
                                         .weight_drop = 0.3},
                      .dtype = d,
                      .generator = g});
    });
    all.push_back({"Linear" + end, [=] {
                     Generator g(3);
                     return parameters_of(nn::Linear(7, 5, {.dtype = dtype, .generator = &g}));
                   }});
    all.push_back(
        {"Conv2d" + end, [=] {
           Generator g(3);
           return parameters_of(nn::Conv2d(3, 5, {3, 3}, {.dtype = dtype, .generator = &g}));
         }});
    all.push_back({"Embedding" + end, [=] {
                     Generator g(3);
                     return parameters_of(nn::Embedding(7, 5, {.dtype = dtype, .generator = &g}));
                   }});
    all.push_back({"Dropout" + end, [=] {
                     Generator g(3);
                     const nn::Dropout drop(0.3, {.generator = &g});
                     return drop(thirds({40}, dtype)).to_vector();
                   }});
    all.push_back(
        {"bernoulli_mask" + end, [=] {
           return nn::bernoulli_mask({41}, 1 - 0.3, {1, 2, 3}, dtype, 1 / 0.7).to_vector();
         }});
    const auto init = [&](const std::string& name, auto f) {
      all.push_back({"init " + name + end, [=] {
                       Generator g(3);
                       const Tensor t = Tensor::zeros({8, 5}, dtype);
                       f(t, g);
                       return t.to_vector();
                     }});
    };
    using namespace nn::init;
    init("uniform", [](const Tensor& t, Generator& g) { uniform(t, -0.1, 0.3, g); });
    init("normal", [](const Tensor& t, Generator& g) { normal(t, 0.1, 0.3, g); });
    init("constant", [](const Tensor& t, Generator&) { constant(t, 0.1); });
    init("xavier_uniform", [](const Tensor& t, Generator& g) { xavier_uniform(t, g, 1.1); });
    init("xavier_normal", [](const Tensor& t, Generator& g) { xavier_normal(t, g, 1.1); });
    init("kaiming_uniform",
         [](const Tensor& t, Generator& g) { kaiming_uniform(t, g, {.a = 0.1}); });
    init("kaiming_uniform by slope",
         [](const Tensor& t, Generator& g) { kaiming_uniform(t, 0.1, g); });
    init("kaiming_normal", [](const Tensor& t, Generator& g) { kaiming_normal(t, g); });
    init("orthogonal", [](const Tensor& t, Generator& g) { orthogonal(t, g, 1.1, 2); });
    init("forget_gate_bias",
         [](const Tensor& t, Generator&) { forget_gate_bias(t.select(1, 0).contiguous(), 0.7); });
  }
  using nn::init::Activation;
  all.push_back({"calculate_gain", [] {
                   return Numbers{nn::init::calculate_gain(Activation::relu),
                                  nn::init::calculate_gain(Activation::leaky_relu, 0.3),
                                  nn::init::calculate_gain(Activation::tanh)};
                 }});
  for (const Rng rng : {Rng::native, Rng::torch})
    all.push_back({"Generator", [=] {
                     Generator g(3, rng);
                     std::vector<float> a(20), b(5), c(20);
                     std::vector<double> d(20), e(5), f(20);
                     g.uniform(a, -0.1, 0.3), g.normal(b, 0.1, 0.3), g.normal(c, 0.1, 0.3);
                     g.uniform(d, -0.1, 0.3), g.normal(e, 0.1, 0.3), g.normal(f, 0.1, 0.3);
                     Numbers n(a.begin(), a.end());
                     for (const auto& floats : {b, c})
                       n.insert(n.end(), floats.begin(), floats.end());
                     for (const auto& doubles : {d, e, f})
                       n.insert(n.end(), doubles.begin(), doubles.end());
                     return n;
                   }});
  const auto optimizer = [&]<class O>(const std::string& name, std::type_identity<O>,
                                      const auto& options) {
    all.push_back({name, [=] {
                     return trained(
                         [&](const Parameters& p) { return std::make_unique<O>(p, options); });
                   }});
  };
  using std::type_identity;
  optimizer("sgd", type_identity<optim::Sgd>{},
            optim::SgdOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.1, .weight_decay = 0.01});
  optimizer("adam", type_identity<optim::Adam>{}, optim::AdamOptions{.lr = 0.1, .amsgrad = true});
  optimizer("adamw", type_identity<optim::AdamW>{}, optim::AdamWOptions{.lr = 0.1});
  optimizer("rmsprop", type_identity<optim::RmsProp>{}, optim::RmsPropOptions{.lr = 0.1});
  optimizer("adagrad", type_identity<optim::Adagrad>{},
            optim::AdagradOptions{.lr = 0.1, .lr_decay = 0.1, .initial_accumulator_value = 0.1});
  optimizer("muon", type_identity<optim::Muon>{}, optim::MuonOptions{.lr = 0.1});
  all.push_back({"clip_grad_norm", [] {
                   Tensor w = thirds({5});
                   w.set_requires_grad(true);
                   sum(w * w).backward();
                   Numbers n{optim::clip_grad_norm({{"w", w}}, 0.1)};
                   for (const double v : w.grad().to_vector()) n.push_back(v);
                   return n;
                 }});
  using namespace optim;
  const auto schedule = [&](const std::string& name, const std::function<Schedule()>& make) {
    all.push_back({name, [=] { return of_schedule(make); }});
  };
  schedule("step_schedule", [] { return step_schedule(3, 0.7); });
  schedule("exponential_schedule", [] { return exponential_schedule(0.7); });
  schedule("cosine_schedule", [] { return cosine_schedule(11, 0.1); });
  schedule("linear_schedule", [] { return linear_schedule(0.1, 0.7, 11); });
  schedule("one_cycle_schedule", [] { return one_cycle_schedule(11, 0.3, 7, 3); });
  schedule("warmup_linear_schedule", [] { return warmup_linear_schedule(11, 0.3); });
  all.push_back({"ReduceLrOnPlateau", [] {
                   ReduceLrOnPlateau plateau({.factor = 0.7, .patience = 0, .threshold = 1e-3});
                   Numbers n;
                   for (const double loss : {1.0, 1.1, 0.9995, 1.2, 0.9, 0.8991})
                     n.push_back(plateau.step(loss));
                   return n;
                 }});
  all.push_back({"pixel_values", [] {
                   const auto values = data::pixel_values({0.1307, 0.3081});
                   return Numbers(values.begin(), values.end());
                 }});
  all.push_back({"Loader", [] {
                   data::Dataset set;
                   set.count = 3, set.rows = set.columns = 2, set.classes = 2;
                   set.images = {1, 2, 3, 250, 5, 6, 7, 8, 9, 10, 11, 12};
                   set.labels = {1, 0, 1};
                   Generator g(3);
                   data::Loader loader(set, {.batch_size = 2,
                                             .shuffle = true,
                                             .normalization = {0.1307, 0.3081},
                                             .shift = 1,
                                             .generator = &g});
                   Numbers n;
                   for (auto [x, y] : loader)
                     for (const double v : joined({x, y})) n.push_back(v);
                   return n;
                 }});
  for (const DType dtype : {f32, f64}) {
    all.push_back({"adding", [=] {
                     const auto batch = data::adding({.length = 20, .dtype = dtype}, 0, 9);
                     return joined({batch.inputs, batch.targets});
                   }});
    all.push_back({"copying", [=] {
                     const auto batch = data::copying({.length = 20, .dtype = dtype}, 0, 9);
                     return joined({batch.inputs, batch.targets});
                   }});
  }
  all.push_back({"to_floats", [] {
                   const double values[] = {0.1, 1 / 3.0, -1e-40, 1e30};
                   const auto floats = io::floats_of<float>(
                       {"x", io::ElementType::f64, {4}, std::as_bytes(std::span(values))});
                   Numbers n;  // their bits: the test's own conversion would follow the mode
                   for (const float v : floats)
                     n.push_back(static_cast<double>(std::bit_cast<std::uint32_t>(v)));
                   return n;
                 }});
  all.push_back({"an npy file of integers", [] {
                   const test::TemporaryFolder folder;
                   std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }";
                   header.resize(117, ' ');
                   const std::int64_t values[] = {(std::int64_t{1} << 60) + 1, 3};
                   const std::string file = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header +
                                            '\n' +
                                            std::string(reinterpret_cast<const char*>(values), 16);
                   const auto array = io::read_npy(folder.write("i.npy", file));
                   Numbers n(2);
                   std::memcpy(n.data(), array.data.data(), 16);
                   return n;
                 }});
  all.push_back({"a description read from JSON", [] {
                   spec::ModelSpec written = model_spec();
                   spec::ImageInput images{.width = 4, .mean = 0.1307, .std = 0.30810000000000004};
                   written.input = images;
                   const auto spec = spec::from_json(spec::to_json(written));
                   images = std::get<spec::ImageInput>(spec.input);
                   return Numbers{images.mean, images.std};
                 }});
  all.push_back({"Model and Stream", [] {
                   const auto model = made_model();
                   const Tensor x = thirds({3, 5, 4});
                   std::vector<float> whole(9), step(3);
                   model.run(x.values<float>(), 3, 5, std::span<float>(whole));
                   auto stream = model.stream();
                   for (std::size_t t = 0; t < 5; ++t)
                     stream.step(x.values<float>().subspan(4 * t, 4), std::span<float>(step));
                   Numbers n(whole.begin(), whole.end());
                   n.insert(n.end(), step.begin(), step.end());
                   return n;
                 }});
  return all;
}

std::vector<std::uint64_t> bits_of(const Numbers& numbers) {
  std::vector<std::uint64_t> bits;
  for (const double v : numbers) bits.push_back(std::bit_cast<std::uint64_t>(v));
  return bits;
}

class Trial21Modes : public testing::TestWithParam<Entry> {
 protected:
  void TearDown() override { std::fesetround(FE_TONEAREST); }
};

TEST_P(Trial21Modes, TheCallersModeReachesNoNumber) {
  const auto expected = bits_of(GetParam().compute());
  ASSERT_FALSE(expected.empty());
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    std::fesetround(mode);
    const Numbers numbers = GetParam().compute();
    EXPECT_EQ(std::fegetround(), mode) << "the mode is not the caller's any more";
    std::fesetround(FE_TONEAREST);
    EXPECT_EQ(bits_of(numbers), expected) << "mode " << mode;
  }
  Numbers numbers;
  {
    const test::FlushToZero flush;
    numbers = GetParam().compute();
  }
  EXPECT_EQ(bits_of(numbers), expected) << "flushing to zero";
}

std::string name_of(const testing::TestParamInfo<Entry>& entry) {
  std::string name = std::to_string(entry.index) + "_";
  for (const char c : entry.param.name)
    if (std::isalnum(static_cast<unsigned char>(c))) name += c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(Everything, Trial21Modes, testing::ValuesIn(entries()), name_of);

}  // namespace
}  // namespace unroll
