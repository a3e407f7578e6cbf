#include "train/checkpoint.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/json.h"
#include "train/model_file.h"
#include "unroll/core/error.h"
#include "unroll/io/safetensors.h"

namespace unroll::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;  // of the file's format
constexpr std::string_view kWeights = "model.", kOptimizer = "optimizer.";

void add_views(std::string_view prefix, const Parameters& from, std::vector<io::ArrayView>& to) {
  for (io::ArrayView& view : views_of(from)) {
    view.name.insert(0, prefix);
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
  damaged(name, fmt::format("no tensor of its kind has type {} and {} dimensions",
                            io::name_of(array.type), array.shape.size()));
}

}  // namespace

std::vector<std::byte> to_bytes(const Checkpoint& c) {
  Json state = {
      {"version", kVersion},
      {"step", c.last.step},
      {"loss", c.last.loss},
      {"grad_norm", c.last.grad_norm},
      {"generator", c.generator},
      {"masks", c.masks},
      {"metrics", {{"bytes", c.metrics_bytes}, {"sha256", c.metrics_sha256}}},
  };
  if (c.position)
    state["position"] = {{"order_seed", c.position->order_seed},
                         {"first", c.position->first},
                         {"shifts", c.position->shifts}};
  std::vector<io::ArrayView> arrays;
  add_views(kWeights, c.weights, arrays);
  add_views(kOptimizer, c.optimizer, arrays);
  return io::safetensors_bytes(
      arrays, {{checkpoint_key, state.dump()}, {"model", c.model}, {"config", c.config}});
}

Checkpoint checkpoint_from(std::vector<std::byte> bytes, const std::string& name) {
  const auto file = io::Safetensors::parse(std::move(bytes), name);
  const auto text = file.metadata().find(checkpoint_key);
  if (text == file.metadata().end()) damaged(name, "it has no state of a run");
  Checkpoint c;
  try {
    const Json state =
        parse_json(text->second, [&](std::string_view why) { damaged(name, std::string(why)); });
    if (const int version = state.at("version").get<int>(); version > kVersion)
      throw FormatError("resume", fmt::format("{} was written by a newer version (its format is "
                                              "{}, this program reads {}); update Unroll",
                                              name, version, kVersion));
    state.at("step").get_to(c.last.step);
    state.at("loss").get_to(c.last.loss);
    state.at("grad_norm").get_to(c.last.grad_norm);
    state.at("generator").get_to(c.generator);
    state.at("masks").get_to(c.masks);
    state.at("metrics").at("bytes").get_to(c.metrics_bytes);
    state.at("metrics").at("sha256").get_to(c.metrics_sha256);
    if (const auto position = state.find("position"); position != state.end())
      c.position = {position->at("order_seed").get<std::uint64_t>(),
                    position->at("first").get<std::int64_t>(),
                    position->at("shifts").get<std::string>()};
    c.model = file.metadata().at("model");
    c.config = file.metadata().at("config");
  } catch (const Json::exception& error) {
    damaged(name, error.what());
  } catch (const std::out_of_range&) {
    damaged(name, "it does not say which run it is of");
  }
  for (const io::ArrayView& array : file.arrays()) {
    const std::string_view all = array.name;
    const bool weight = all.starts_with(kWeights);
    if (!weight && !all.starts_with(kOptimizer)) damaged(name, "it has tensors of something else");
    const std::string_view rest = all.substr((weight ? kWeights : kOptimizer).size());
    (weight ? c.weights : c.optimizer).push_back({std::string(rest), tensor_of(array, name)});
  }
  return c;
}

}  // namespace unroll::train
