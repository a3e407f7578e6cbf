// Regularised recurrent layers, with the masks of the file.
#include "golden/recurrent_case.h"
#include "support/tensors.h"

namespace unroll::golden {
namespace {

nn::RecurrentRegularisation regularisation_of(const GoldenCase& c) {
  const nlohmann::json& d = c.description;
  const std::string regulariser = d.at("regulariser");
  nn::RecurrentRegularisation r;
  if (regulariser == "layer_norm") r.layer_norm = true;
  if (regulariser == "zoneout")
    r.zoneout = {d.at("p_h"), d.at("kind") == "lstm" ? d.at("p_c").get<double>() : 0};
  if (regulariser == "variational_dropout") r.variational_dropout = {d.at("p_x"), d.at("p_h")};
  if (regulariser == "weight_drop") r.weight_drop = d.at("p");
  if (regulariser == "recurrent_dropout") r.recurrent_dropout = d.at("p");
  return r;
}

nn::RecurrentMasks masks_of(const GoldenCase& c) {
  const auto mask = [&](std::string_view name) {
    const io::ArrayView* array = c.file.find(name);
    return array ? test::tensor_of(*array) : Tensor();
  };
  return {.keep_x = mask("mask.keep_x"),
          .keep_h = mask("mask.keep_h"),
          .keep_candidate = mask("mask.keep_candidate"),
          .zone_h = mask("mask.zone_h"),
          .zone_c = mask("mask.zone_c"),
          .keep_weight_hh = mask("mask.keep_weight_hh")};
}

}  // namespace

Outcome run_regularised_case(const GoldenCase& c) {
  if (!c.has_only({"set", "dtype", "kind", "T", "N", "I", "H", "regulariser", "training", "p",
                   "p_x", "p_h", "p_c"}))
    return Outcome::not_supported;
  const nn::RecurrentMasks masks = masks_of(c);
  run_recurrent_case(c, regularisation_of(c), {&masks, 1});
  return Outcome::run;
}

}  // namespace unroll::golden
