// config.json, both ways.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "core/file.h"
#include "core/json.h"
#include "core/suggest.h"
#include "train/config.h"
#include "train/config_names.h"
#include "unroll/core/error.h"
#include "unroll/spec/model_spec.h"

namespace unroll::train {
namespace {

using Json = nlohmann::ordered_json;

/// One setting: its key, and how it is written and read. The list below is all there is to know
/// about config.json.
struct Field {
  std::string_view key;
  std::function<Json(const Config&)> write;
  std::function<void(Config&, const Json&)> read;
};

struct WrongType {};

/// j as a T. get() alone would make whole numbers of 1.5, true, or what is out of range.
template <class T>
T exactly(const Json& j) {
  if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
    if (!j.is_array()) throw WrongType();
    T values;
    for (const Json& element : j) values.push_back(exactly<std::int64_t>(element));
    return values;
  }
  constexpr bool is_bool = std::is_same_v<T, bool>;
  if (is_bool && !j.is_boolean()) throw WrongType();
  if (std::is_arithmetic_v<T> && !is_bool && !j.is_number()) throw WrongType();
  if (std::is_integral_v<T> && !is_bool && !j.is_number_integer()) throw WrongType();
  T value = j.get<T>();
  if (!std::is_floating_point_v<T> && Json(value).dump() != j.dump()) throw WrongType();
  return value;
}

template <class T>
Field plain(std::string_view key, T Config::*member) {
  return {key, [member](const Config& c) { return Json(c.*member); },
          [member](Config& c, const Json& j) { c.*member = exactly<T>(j); }};
}

/// An enumeration by its names.
template <class E, class Name, class Parse>
Field named(std::string_view key, E Config::*member, Name name, Parse parse) {
  return {key, [=](const Config& c) { return Json(std::string(name(c.*member))); },
          [=](Config& c, const Json& j) { c.*member = parse(j.get<std::string>()); }};
}

const std::vector<Field>& fields() {
  static const std::vector<Field> all = {
      plain("recipe", &Config::recipe),
      plain("dataset", &Config::dataset),
      plain("length", &Config::length),
      named(
          "model", &Config::model, [](ModelKind m) { return name_of(m); }, model_named),
      plain("hidden", &Config::hidden),
      plain("layers", &Config::layers),
      named(
          "activation", &Config::activation, [](spec::Activation f) { return spec::name_of(f); },
          spec::activation_named),
      {"permute", [](const Config& c) { return c.permute ? Json(*c.permute) : Json(); },
       [](Config& c, const Json& j) {
         c.permute.reset();
         if (!j.is_null()) c.permute = exactly<std::uint64_t>(j);
       }},
      plain("dropout", &Config::dropout),
      named(
          "input", &Config::input, [](spec::Form f) { return spec::name_of(f); }, spec::form_named),
      named(
          "readout", &Config::readout, [](spec::Readout r) { return spec::name_of(r); },
          spec::readout_named),
      plain("bidirectional", &Config::bidirectional),
      plain("layer_norm", &Config::layer_norm),
      plain("zoneout_h", &Config::zoneout_h),
      plain("zoneout_c", &Config::zoneout_c),
      plain("variational_dropout", &Config::variational_dropout),
      plain("recurrent_dropout", &Config::recurrent_dropout),
      plain("weight_drop", &Config::weight_drop),
      plain("ar", &Config::ar),
      plain("tar", &Config::tar),
      plain("learn_initial_state", &Config::learn_initial_state),
      plain("proj_size", &Config::proj_size),
      plain("forget_bias", &Config::forget_bias),
      plain("tbptt", &Config::tbptt),
      named(
          "init", &Config::init, [](InitialValues i) { return name_of(i); }, initial_values_named),
      plain("batch_size", &Config::batch_size),
      plain("steps", &Config::steps),
      plain("epochs", &Config::epochs),
      {"augment", [](const Config& c) { return Json(name_of_augment(c.augment)); },
       [](Config& c, const Json& j) { c.augment = augment_named(j.get<std::string>()); }},
      {"normalize",
       [](const Config& c) {
         return Json({c.normalization.mean, c.normalization.std});
       },
       [](Config& c, const Json& j) {
         if (!j.is_array() || j.size() != 2) throw WrongType();
         c.normalization = {exactly<double>(j.at(0)), exactly<double>(j.at(1))};
       }},
      named(
          "optimizer", &Config::optimizer, [](Algorithm a) { return name_of(a); }, algorithm_named),
      plain("lr", &Config::lr),
      plain("lr_others", &Config::lr_others),
      plain("momentum", &Config::momentum),
      plain("beta2", &Config::beta2),
      plain("amsgrad", &Config::amsgrad),
      plain("weight_decay", &Config::weight_decay),
      plain("clip_norm", &Config::clip_norm),
      named(
          "schedule", &Config::schedule, [](ScheduleKind s) { return name_of(s); }, schedule_named),
      plain("gamma", &Config::gamma),
      plain("gamma_every", &Config::gamma_every),
      plain("seed", &Config::seed),
      named(
          "rng", &Config::rng, [](Rng r) { return name_of(r); }, rng_named),
      named(
          "dtype", &Config::dtype, [](DType d) { return unroll::name_of(d); }, dtype_named),
      named(
          "precision", &Config::precision, [](Precision p) { return name_of(p); }, precision_named),
      plain("threads", &Config::threads),
      plain("eval_every", &Config::eval_every),
      plain("save_at", &Config::save_at),
  };
  return all;
}

[[noreturn]] void damaged(const std::string& path, std::string_view why) {
  throw FormatError("config", fmt::format("{}: {}; give the config.json of a run", path, why));
}

}  // namespace

std::string to_json(const Config& config, const Provenance& provenance) {
  Json settings = Json::object();
  for (const Field& field : fields()) settings[std::string(field.key)] = field.write(config);
  const Json json = {
      {"numerics_revision", provenance.numerics_revision},
      {"data",
       {{"train_sha256", provenance.train_sha256}, {"test_sha256", provenance.test_sha256}}},
      {"settings", settings},
  };
  return json.dump(2) + "\n";
}

std::vector<std::string> differences(const Config& there, const Config& here) {
  std::vector<std::string> all;
  for (const Field& field : fields()) {
    const Json a = field.write(there), b = field.write(here);
    if (a != b && field.key != "threads")
      all.push_back(fmt::format("{} is {} there, {} here", field.key, a.dump(), b.dump()));
  }
  return all;
}

constexpr std::uint64_t kLargest = 1 << 20;

std::string read_config(std::string_view operation, const std::string& path) {
  return read_text(operation, path, kLargest);
}

std::string read_config(std::string_view operation, const Folder& folder, const std::string& name) {
  return read_text(operation, folder, name, kLargest);
}

LoadedConfig config_from_json(std::string_view text, const std::string& path) {
  const Json json = parse_json(text, [&](std::string_view why) { damaged(path, why); });
  if (!json.is_object()) damaged(path, "it is not a JSON object");
  const auto settings = json.find("settings");
  if (settings == json.end() || !settings->is_object()) damaged(path, "no settings in it");
  // A setting that is missing keeps the tutorial's value: a later version may add some.
  LoadedConfig loaded;
  std::vector<std::string_view> keys;
  for (const Field& field : fields()) keys.push_back(field.key);
  for (const auto& [key, value] : settings->items()) {
    const auto field = std::ranges::find(fields(), key, &Field::key);
    if (field == fields().end())
      throw ValueError("config", fmt::format("{}: the key '{}' is not known{}", path, key,
                                             did_you_mean(key, keys)));
    const auto refuse = [&, &name = key, &given = value] {
      throw ValueError("config", fmt::format("{}: '{}' can't be {}", path, name, given.dump()));
    };
    try {
      field->read(loaded.config, value);
    } catch (const Json::exception&) {
      refuse();
    } catch (const WrongType&) {
      refuse();
    }
  }
  try {
    loaded.provenance.numerics_revision = exactly<int>(json.at("numerics_revision"));
    loaded.provenance.train_sha256 = json.at("data").at("train_sha256").get<std::string>();
    loaded.provenance.test_sha256 = json.at("data").at("test_sha256").get<std::string>();
  } catch (const Json::exception&) {
    damaged(path, "the numerics revision or the data's hashes are missing");
  } catch (const WrongType&) {
    damaged(path, "the numerics revision is no whole number");
  }
  validate(loaded.config);
  return loaded;
}

}  // namespace unroll::train
