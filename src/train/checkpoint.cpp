#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/json.h"
#include "nn/model_file.h"
#include "unroll/core/error.h"
#include "unroll/io/safetensors.h"

namespace unroll::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 2;  // version of the file's format
constexpr std::string_view kWeights = "model.", kOptimizer = "optimizer.", kGood = "good.",
                           kBest = "best.";

void add_views(const Checkpoint& c, std::string_view prefix, std::vector<io::ArrayView>& to) {
  for (const auto& [kind, from] :
       {std::pair(kWeights, &c.weights), {kOptimizer, &c.optimizer}, {kBest, &c.best}})
    for (io::ArrayView& view : nn::views_of(*from)) {
      view.name = fmt::format("{}{}{}", prefix, kind, view.name);
      to.push_back(std::move(view));
    }
}

[[noreturn]] void damaged(const std::string& name, std::string_view why) {
  throw FormatError("resume", fmt::format("{} is not a checkpoint: {}", name, why));
}

Tensor tensor_of(const io::ArrayView& array, const std::string& name) {
  const auto copy = [&]<class T>(T*) {
    const Tensor tensor = Tensor::empty(Shape(array.shape), DTypeOf<T>::value);
    std::ranges::copy(array.data, std::as_writable_bytes(tensor.values<T>()).begin());
    return tensor;
  };
  if (array.shape.size() <= Shape::max_rank) switch (array.type) {
      case io::ElementType::f32:
        return copy(static_cast<float*>(nullptr));
      case io::ElementType::f64:
        return copy(static_cast<double*>(nullptr));
      case io::ElementType::i64:
        return copy(static_cast<std::int64_t*>(nullptr));
      default:
        break;
    }
  damaged(name, fmt::format("a tensor has type {} and {} dimensions, expected F32, F64 or I64 and "
                            "at most {}",
                            io::name_of(array.type), array.shape.size(), Shape::max_rank));
}

Json json_of(const RecentSteps::State& s) {
  const auto values = [](const RecentSteps::Values& v) {
    return Json{{"last", v.last}, {"largest_of_first", v.largest_of_first}};
  };
  return {{"losses", values(s.losses)},
          {"norms", values(s.norms)},
          {"count", s.count},
          {"outside", s.outside}};
}

RecentSteps recent_from(const Json& json) {
  const auto values = [](const Json& v) {
    return RecentSteps::Values{v.at("last").get<std::array<double, RecentSteps::size>>(),
                               v.at("largest_of_first").get<double>()};
  };
  return RecentSteps({values(json.at("losses")), values(json.at("norms")),
                      json.at("count").get<std::int64_t>(),
                      json.at("outside").get<std::int64_t>()});
}

// The best loss is infinite before the first evaluation. JSON has no infinity, so null stands for
// it.
Json json_of(const LearningRate::State& s) {
  return {{"best", std::isfinite(s.plateau.best) ? Json(s.plateau.best) : Json()},
          {"bad", s.plateau.bad},
          {"cooldown", s.plateau.cooldown},
          {"factor", s.plateau.lr_factor},
          {"loss", s.loss},
          {"steps", s.steps},
          {"last", s.last},
          {"last_factor", s.last_factor}};
}

LearningRate::State learning_rate_from(const Json& json) {
  const Json& best = json.at("best");
  return {.plateau = {.best = best.is_null() ? HUGE_VAL : best.get<double>(),
                      .bad = json.at("bad").get<std::int64_t>(),
                      .cooldown = json.at("cooldown").get<std::int64_t>(),
                      .lr_factor = json.at("factor").get<double>()},
          .loss = json.at("loss").get<double>(),
          .steps = json.at("steps").get<std::int64_t>(),
          .last = json.at("last").get<std::int64_t>(),
          .last_factor = json.at("last_factor").get<double>()};
}

Json json_of(const EarlyStopping::State& s) {
  if (s.best.step == 0) return {{"since", s.since}};
  return {{"since", s.since},
          {"loss", s.loss},
          {"step", s.best.step},
          {"train_loss", s.best.loss},
          {"grad_norm", s.best.grad_norm},
          {"lr", s.best.lr},
          {"epoch", s.best.epoch}};
}

EarlyStopping::State stopping_from(const Json& json) {
  EarlyStopping::State s;
  json.at("since").get_to(s.since);
  if (!json.contains("step")) return s;
  json.at("loss").get_to(s.loss);
  json.at("step").get_to(s.best.step);
  json.at("train_loss").get_to(s.best.loss);
  json.at("grad_norm").get_to(s.best.grad_norm);
  json.at("lr").get_to(s.best.lr);
  json.at("epoch").get_to(s.best.epoch);
  return s;
}

/// The state of a step without its tensors.
Json json_of(const Checkpoint& c) {
  Json json = {{"step", c.last.step},           {"loss", c.last.loss},
               {"grad_norm", c.last.grad_norm}, {"recent", json_of(c.recent.state())},
               {"generator", c.generator},      {"masks", c.masks}};
  if (!c.position.empty()) json["position"] = Json::parse(c.position);
  if (c.learning_rate) json["learning_rate"] = json_of(*c.learning_rate);
  if (c.stopping) json["stopping"] = json_of(*c.stopping);
  if (c.refit) json["refit"] = {{"first", c.refit->first}, {"steps", c.refit->steps}};
  return json;
}

void read(const Json& json, Checkpoint& c) {
  json.at("step").get_to(c.last.step);
  json.at("loss").get_to(c.last.loss);
  json.at("grad_norm").get_to(c.last.grad_norm);
  c.recent = recent_from(json.at("recent"));
  json.at("generator").get_to(c.generator);
  json.at("masks").get_to(c.masks);
  if (const auto position = json.find("position"); position != json.end())
    c.position = position->dump();
  if (const auto state = json.find("learning_rate"); state != json.end())
    c.learning_rate = learning_rate_from(*state);
  if (const auto state = json.find("stopping"); state != json.end())
    c.stopping = stopping_from(*state);
  if (const auto refit = json.find("refit"); refit != json.end())
    c.refit = {refit->at("first").get<std::int64_t>(), refit->at("steps").get<std::int64_t>()};
}

}  // namespace

std::vector<std::byte> to_bytes(const Checkpoint& c) {
  Json state = {{"version", kVersion}};
  state.update(json_of(c));
  state["metrics"] = {{"bytes", c.metrics_bytes}, {"sha256", c.metrics_sha256}};
  std::vector<io::ArrayView> arrays;
  add_views(c, "", arrays);
  if (c.good) {
    state["good"] = json_of(*c.good);
    add_views(*c.good, kGood, arrays);
  }
  return io::safetensors_bytes(
      arrays, {{checkpoint_key, state.dump()}, {model_key, c.model}, {"config", c.config}});
}

Checkpoint checkpoint_from(std::vector<std::byte> bytes, const std::string& name) {
  const auto file = io::Safetensors::parse(std::move(bytes), name);
  const auto text = file.metadata().find(checkpoint_key);
  if (text == file.metadata().end()) damaged(name, "it has no state of a run");
  constexpr std::size_t kLongest = 1 << 20;
  if (text->second.size() > kLongest)
    damaged(name, fmt::format("its state has {} bytes, expected at most {}", text->second.size(),
                              kLongest));
  Checkpoint c;
  std::shared_ptr<Checkpoint> good;
  try {
    const Json state =
        parse_json(text->second, [&](std::string_view why) { damaged(name, std::string(why)); });
    if (const int version = state.at("version").get<int>(); version > kVersion)
      throw FormatError("resume", fmt::format("{} was written by a newer version (its format is "
                                              "{}, this program reads {}); update Unroll",
                                              name, version, kVersion));
    else if (version < kVersion)
      throw FormatError("resume", fmt::format("{} was written by an older version (its format is "
                                              "{}, this program reads {}); resume with that "
                                              "version, or train again",
                                              name, version, kVersion));
    read(state, c);
    if (const auto found = state.find("good"); found != state.end()) {
      good = std::make_shared<Checkpoint>();
      read(*found, *good);
    }
    state.at("metrics").at("bytes").get_to(c.metrics_bytes);
    state.at("metrics").at("sha256").get_to(c.metrics_sha256);
    c.model = file.metadata().at(model_key);
    c.config = file.metadata().at("config");
  } catch (const Json::exception& error) {
    damaged(name, error.what());
  } catch (const std::out_of_range&) {
    damaged(name, "it does not name its run");
  }
  for (const io::ArrayView& array : file.arrays()) {
    std::string_view rest = array.name;
    const bool of_good = good && rest.starts_with(kGood);
    if (of_good) rest.remove_prefix(kGood.size());
    Checkpoint& to = of_good ? *good : c;
    const std::pair<std::string_view, Parameters*> kinds[] = {
        {kWeights, &to.weights}, {kOptimizer, &to.optimizer}, {kBest, &to.best}};
    const auto* const kind =
        std::ranges::find_if(kinds, [&](const auto& k) { return rest.starts_with(k.first); });
    if (kind == std::end(kinds))
      damaged(name, "it has tensors that are neither weights nor the optimizer's");
    rest.remove_prefix(kind->first.size());
    kind->second->push_back({std::string(rest), tensor_of(array, name)});
  }
  c.good = std::move(good);
  return c;
}

}  // namespace unroll::train
