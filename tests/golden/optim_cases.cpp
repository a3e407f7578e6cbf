// Optimizers, learning-rate schedules and clipping.
#include <algorithm>
#include <memory>

#include "golden/golden_case.h"
#include "support/tensors.h"
#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/clip.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/schedule.h"
#include "unroll/optim/sgd.h"

namespace unroll::golden {
namespace {

using nlohmann::json;

/// The tensors of one prefix ("initial.w", "initial.b") as leaves named "w" and "b".
Parameters parameters_of(const GoldenCase& c, const std::string& prefix, int gates = 0) {
  Parameters parameters;
  for (const io::ArrayView& array : c.file.arrays())
    if (array.name.starts_with(prefix))
      parameters.push_back({array.name.substr(prefix.size()),
                            test::tensor_of(array).set_requires_grad(true), gates});
  return parameters;
}

bool has_only(const json& options, std::initializer_list<std::string_view> known) {
  return std::ranges::all_of(options.items(), [&](const auto& option) {
    return std::ranges::find(known, option.key()) != known.end();
  });
}

/// Adam's or AdamW's options; what is not listed has the options' own default.
template <class Options>
Options adam_options(const json& o) {
  Options options{.lr = o.at("lr")};
  const std::vector<double> betas = o.value("betas", std::vector{options.beta1, options.beta2});
  options.beta1 = betas.at(0);
  options.beta2 = betas.at(1);
  options.eps = o.value("eps", options.eps);
  options.weight_decay = o.value("weight_decay", options.weight_decay);
  options.amsgrad = o.value("amsgrad", options.amsgrad);
  return options;
}

/// Null for what Unroll lacks.
std::unique_ptr<optim::Optimizer> make_optimizer(const GoldenCase& c,
                                                 const Parameters& parameters) {
  const std::string name = c.description.at("optimizer");
  const json& o = c.description.at("options");
  if (name == "sgd" && has_only(o, {"lr", "momentum", "dampening", "weight_decay", "nesterov"})) {
    const optim::SgdOptions options{.lr = o.at("lr"),
                                    .momentum = o.value("momentum", 0.0),
                                    .dampening = o.value("dampening", 0.0),
                                    .weight_decay = o.value("weight_decay", 0.0),
                                    .nesterov = o.value("nesterov", false)};
    return std::make_unique<optim::Sgd>(parameters, options);
  }
  if (has_only(o, {"lr", "betas", "eps", "weight_decay", "amsgrad"})) {
    if (name == "adam")
      return std::make_unique<optim::Adam>(parameters, adam_options<optim::AdamOptions>(o));
    if (name == "adamw")
      return std::make_unique<optim::AdamW>(parameters, adam_options<optim::AdamWOptions>(o));
  }
  if (name == "rmsprop" &&
      has_only(o, {"lr", "alpha", "eps", "weight_decay", "momentum", "centered"})) {
    optim::RmsPropOptions options{.lr = o.at("lr")};
    options.alpha = o.value("alpha", options.alpha);
    options.eps = o.value("eps", options.eps);
    options.weight_decay = o.value("weight_decay", options.weight_decay);
    options.momentum = o.value("momentum", options.momentum);
    options.centered = o.value("centered", options.centered);
    return std::make_unique<optim::RmsProp>(parameters, options);
  }
  if (name == "adagrad" &&
      has_only(o, {"lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"})) {
    optim::AdagradOptions options{.lr = o.at("lr")};
    options.lr_decay = o.value("lr_decay", options.lr_decay);
    options.weight_decay = o.value("weight_decay", options.weight_decay);
    options.initial_accumulator_value =
        o.value("initial_accumulator_value", options.initial_accumulator_value);
    options.eps = o.value("eps", options.eps);
    return std::make_unique<optim::Adagrad>(parameters, options);
  }
  if (name == "muon" && has_only(o, {"lr", "momentum", "nesterov", "ns_steps"})) {
    const optim::MuonOptions options{.lr = o.at("lr"),
                                     .momentum = o.at("momentum"),
                                     .nesterov = o.at("nesterov"),
                                     .ns_steps = o.at("ns_steps")};
    return std::make_unique<optim::Muon>(parameters, options);
  }
  return nullptr;
}

std::string after(int step, const Parameter& p) {
  return "after." + std::to_string(step) + "." + p.name;
}

/// One step with the case's gradients.
void take_step(const GoldenCase& c, int step, const Parameters& parameters,
               optim::Optimizer& optimizer) {
  optimizer.zero_grad();
  for (const Parameter& p : parameters)
    p.value.backward(test::tensor_of(c.tensor("grad." + std::to_string(step) + "." + p.name)));
  optimizer.step();
}

/// make_reference.py lets PyTorch's f64 optimizers work in the memory of the initial values (their
/// .to(float64) is no copy), so what it then stores as `initial.*` are the values of the last step.
bool initial_values_are_lost(const GoldenCase& c, const Parameters& parameters) {
  const int last = c.description.at("steps").get<int>() - 1;
  return std::ranges::all_of(parameters, [&](const Parameter& p) {
    return p.value.to_vector() == c.values(after(last, p));
  });
}

/// Finds the values from which the first step leads to `after.0.*`: a step moves a value by an
/// amount that hardly depends on it, so each round corrects nearly all of the difference.
void recover_initial_values(const GoldenCase& c, Parameters& parameters) {
  constexpr int rounds = 40;
  for (int round = 0; round < rounds; ++round) {
    Parameters trial;
    for (const Parameter& p : parameters)
      trial.push_back({p.name, p.value.clone().set_requires_grad(true), p.gates});
    take_step(c, 0, trial, *make_optimizer(c, trial));
    for (std::size_t i = 0; i < trial.size(); ++i) {
      const std::vector<double> wanted = c.values(after(0, trial[i]));
      const auto got = trial[i].value.values<double>(),
                 initial = parameters[i].value.values<double>();
      for (std::size_t e = 0; e < wanted.size(); ++e) initial[e] += wanted[e] - got[e];
    }
  }
}

/// Empty for what Unroll lacks. Schedules of Unroll are factors; these are on the largest rate.
optim::Schedule make_schedule(const std::string& name, const json& o, double base_lr) {
  if (name == "step") return optim::step_schedule(o.at("step_size"), o.at("gamma"));
  if (name == "exponential") return optim::exponential_schedule(o.at("gamma"));
  if (name == "cosine")
    return optim::cosine_schedule(o.at("T_max"), o.at("eta_min").get<double>() / base_lr);
  if (name == "linear_warmup")
    return optim::linear_schedule(o.at("start_factor"), o.at("end_factor"), o.at("total_iters"));
  if (name == "one_cycle")
    return optim::one_cycle_schedule(o.at("total_steps"), o.at("pct_start"), o.at("div_factor"),
                                     o.at("final_div_factor"));
  return {};
}

}  // namespace

Outcome run_optim_case(const GoldenCase& c) {
  Parameters parameters = parameters_of(c, "initial.", c.description.value("blocks", 0));
  auto optimizer = make_optimizer(c, parameters);
  if (!optimizer) return Outcome::not_supported;
  if (initial_values_are_lost(c, parameters)) {
    recover_initial_values(c, parameters);
    optimizer = make_optimizer(c, parameters);
  }
  for (int step = 0; step < c.description.at("steps").get<int>(); ++step) {
    take_step(c, step, parameters, *optimizer);
    for (const Parameter& p : parameters) {
      const std::string name = after(step, p);
      EXPECT_TRUE(test::is_close(p.value.to_vector(), c.values(name), c.tolerance())) << name;
    }
  }
  return Outcome::run;
}

Outcome run_schedule_case(const GoldenCase& c) {
  const json& options = c.description.at("options");
  const double base_lr = c.description.at("base_lr");
  const optim::Schedule schedule = make_schedule(c.description.at("name"), options, base_lr);
  if (!schedule) return Outcome::not_supported;
  const std::vector<double> expected = c.values("lr");
  std::vector<double> got;
  for (std::size_t step = 0; step < expected.size(); ++step)
    got.push_back(options.value("max_lr", base_lr) * schedule(static_cast<std::int64_t>(step)));
  EXPECT_TRUE(test::is_close(got, expected, test::tolerance_f64));
  return Outcome::run;
}

Outcome run_clip_case(const GoldenCase& c) {
  const Parameters parameters = parameters_of(c, "grad.");
  for (const Parameter& p : parameters) p.value.backward(p.value);
  const double norm = optim::clip_grad_norm(parameters, c.description.at("max_norm"));
  EXPECT_TRUE(test::is_close(std::vector{norm}, c.values("norm"), test::tolerance_f64));
  for (const Parameter& p : parameters)
    EXPECT_TRUE(test::is_close(p.value.grad().to_vector(), c.values("clipped." + p.name),
                               test::tolerance_f64))
        << p.name;
  return Outcome::run;
}

}  // namespace unroll::golden
