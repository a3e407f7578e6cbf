// Files as users have them. Each test is an example of one kind of trouble.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "import/architecture.h"
#include "import/import_model.h"
#include "import/weight_norm.h"
#include "support/expect_error.h"
#include "support/specs.h"
#include "unit/import/states.h"
#include "unroll/core/error.h"

namespace unroll::importer {
namespace {

using test::error_of;
using Tensors = std::vector<std::pair<std::string, Shape>>;

/// The weights of an nn.GRU with I 3 and H 4 under a name; bare if the name is empty.
Tensors gru(const std::string& name) {
  const std::string start = name.empty() ? "" : name + ".";
  return {{start + "weight_ih_l0", {12, 3}},
          {start + "weight_hh_l0", {12, 4}},
          {start + "bias_ih_l0", {12}},
          {start + "bias_hh_l0", {12}}};
}

Tensors both(Tensors a, const Tensors& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string gru_named(const std::string& name, const std::string& more = "") {
  return fmt::format(R"({{"layers": [{{"type": "gru", "name": "{}", "readout": "last"}}{}]}})",
                     name, more);
}

// ---- 4: prefixes --------------------------------------------------------------------------------

TEST(Trial04, ALayersOwnNameIsNoPrefix) {
  struct Case {
    const char *in_file, *in_architecture;
  };
  for (const Case& c :
       std::vector<Case>{{"model", "model"},            // self.model = nn.GRU(...)
                         {"module", "module"},          //
                         {"model", "rnn"},              // the one layer of the file
                         {"module", "rnn"},             // DataParallel(nn.GRU(...))
                         {"_orig_mod", "gru"},          // torch.compile(nn.GRU(...))
                         {"_orig_mod.module", "any"},   //
                         {"module.model", "model"},     // DataParallel of self.model
                         {"model.model", "model"},      //
                         {"module.module", "module"},   //
                         {"model._orig_mod", "model"},  // self.model = torch.compile(nn.GRU(...))
                         {"model.module", "model"},     // self.model = DataParallel(nn.GRU(...))
                         {"rnn._orig_mod", "rnn"},      //
                         {"module._orig_mod.rnn._orig_mod", "rnn"},  //
                         {"encoder._orig_mod.rnn", "encoder.rnn"},   //
                         {"model.module._orig_mod", "module"},       // all of it
                         {"model.rnn", "model.rnn"},   // the whole name, also with a prefix
                         {"module.rnn", "model.rnn"},  //
                         {"rnn", "module.rnn"},        //
                         {"_forward_module.net.rnn", "net.rnn"},
                         {"", "rnn"}}) {
    SCOPED_TRACE(fmt::format("{} as {}", c.in_file, c.in_architecture));
    const ImportedModel model =
        import_model(state_of(gru(c.in_file)), gru_named(c.in_architecture));
    ASSERT_EQ(model.weights.size(), 4u);
    EXPECT_EQ(model.weights[0].name, std::string(c.in_architecture) + ".weight_ih_l0");
  }
}

TEST(Trial04, ALayerCalledModelBesideAnother) {
  for (const char* around : {"", "module.", "_orig_mod.", "model."}) {
    const std::string start = around;
    const StateDict state = state_of(
        both(gru(start + "model"), {{start + "fc.weight", {2, 4}}, {start + "fc.bias", {2}}}));
    const std::string with_fc = gru_named("model", R"(, {"type": "linear", "name": "fc"})");
    EXPECT_EQ(import_model(state, with_fc).weights.size(), 6u) << around;
    // The proposed file fits, except for the readout, which is asked for.
    EXPECT_NE(question(state).find(R"({"type": "gru", "name": "model", "readout": "last |)"),
              std::string::npos)
        << question(state);
    EXPECT_NE(question(state).find(R"("name": "fc")"), std::string::npos);
  }
}

TEST(Trial04, AFullNameComesBeforeAShortOne) {
  // Two layers that have the same name without their prefixes.
  const StateDict state = state_of(both(gru("rnn"), gru("model.rnn")));
  EXPECT_NE(refusal(state, gru_named("rnn")).find("model.rnn.weight_hh_l0 is not part"),
            std::string::npos);
  EXPECT_NE(refusal(state, gru_named("model.rnn")).find("; rnn.weight_hh_l0 is not part"),
            std::string::npos);
  // If two layers fit equally well, neither is taken.
  EXPECT_NE(refusal(state_of(both(gru("module.rnn"), gru("model.rnn"))), gru_named("rnn"))
                .find("\"rnn\" may be several layers of the file: module.rnn, model.rnn"),
            std::string::npos);
  // "Any name means the one bare layer" only holds for a bare layer.
  EXPECT_NE(refusal(state_of(both(gru("rnn"), {{"x", {1}}})), gru_named("encoder"))
                .find("has no \"encoder\".weight_ih_l0"),
            std::string::npos);
}

TEST(Trial04, BothNamesOfAScalesBufferWork) {
  StateDict state = state_of(gru("model.rnn"));
  add(state, "model.mu", {3}, {1, 2, 3});
  add(state, "model.sd", {3}, {4, 5, 6});
  for (const char* start : {"", "model.", "module."}) {
    const ImportedModel model = import_model(
        state, fmt::format(R"({{"layers": [{{"type": "scale", "mean": "{0}mu", "std": "{0}sd"}},
                            {{"type": "gru", "name": "{0}rnn", "readout": "last"}}]}})",
                           start));
    EXPECT_EQ(std::get<spec::ScaleSpec>(model.spec.layers[0]),
              (spec::ScaleSpec{{1, 2, 3}, {4, 5, 6}}));
  }
  EXPECT_NE(refusal(state, R"({"layers": [{"type": "scale", "mean": "nu"},
                               {"type": "gru", "name": "rnn", "readout": "last"}]})")
                .find("the file has no tensor \"nu\""),
            std::string::npos);
}

// ---- 3: silently another network ----------------------------------------------------------------

TEST(Trial03, AnEmbeddingIsNoLinearLayer) {
  const std::string fc = R"(, {"type": "linear", "name": "fc"})";
  const auto network = [&](const std::string& name, std::int64_t words, bool bias = false) {
    Tensors all = {{name + ".weight", {words, 3}}};
    if (bias) all.emplace_back(name + ".bias", Shape{words});
    return state_of(both(both(all, gru("rnn")), {{"fc.weight", {2, 4}}, {"fc.bias", {2}}}));
  };
  const auto said = [&](const std::string& name, const std::string& more = "") {
    return fmt::format(R"({{"layers": [{{"type": "linear", "name": "{}"{}}}, )"
                       R"({{"type": "gru", "name": "rnn", "readout": "last"}}{}]}})",
                       name, more, fc);
  };
  // By its name, with and without an architecture.
  for (const char* name : {"embedding", "emb", "word_embeddings", "net.embed", "wte", "lookup"}) {
    const StateDict square = network(name, 3);
    expect_parts(refusal(square),
                 {fmt::format("{}.weight [3, 3] is an embedding", name), "\"bias\": false"});
    expect_parts(refusal(square, said(name)), {"like an nn.Embedding", "\"bias\": false"});
    EXPECT_EQ(import_model(square, said(name, R"(, "bias": false)")).weights.size(), 7u);
  }
  // Judged by its shape only. If it is square, the user is asked.
  const StateDict square = network("encoder", 3);
  for (const auto& architecture : {std::optional<std::string>(), std::optional(said("encoder"))})
    expect_parts(question(square, architecture),
                 {"encoder.weight [3, 3] has no bias, so it may be an nn.Embedding",
                  "if it is an nn.Linear(3, 3, bias=False), write \"bias\": false",
                  R"({"type": "linear", "name": "encoder", "bias": "false | an nn.Embedding)"});
  EXPECT_EQ(import_model(square, said("encoder", R"(, "bias": false)")).weights.size(), 7u);
  const StateDict tall = network("encoder", 7);
  expect_parts(refusal(tall), {"an nn.Embedding of 7 words"});
  expect_parts(refusal(tall, said("encoder")),
               {"encoder.weight [7, 3] has no bias and rnn reads 3 numbers",
                "an nn.Embedding of 7 words, which can't be imported"});
  // A bias shows that it is linear.
  EXPECT_EQ(import_model(network("embedding", 3, true), said("embedding")).weights.size(), 8u);
}

TEST(Trial03, TheQuestionSaysWhatLastIsOfTwoDirections) {
  spec::RecurrentSpec r{.name = "rnn", .cell = spec::Cell::gru, .input_size = 3, .hidden_size = 4};
  const auto asked = [&] { return question(with_weights_of(test::recurrent_spec(r, 2))); };
  EXPECT_EQ(asked().find("h_n"), std::string::npos) << asked();
  r.bidirectional = true;
  expect_parts(asked(), {"cat([h_n[-2], h_n[-1]], -1)", "the backward one after step 0",
                         "output[:, -1]", "can't be imported"});
}

TEST(Trial03, HalfOfTwoDirectionsIsNoReadout) {
  Tensors all = both(gru("rnn"), {{"fc.weight", {2, 4}}, {"fc.bias", {2}}});
  for (const auto& [name, shape] : gru("rnn")) all.emplace_back(name + "_reverse", shape);
  const StateDict state = state_of(all);
  const std::vector<std::string> parts = {"fc reads 4 numbers, half of the 8", "a sum or mean"};
  expect_parts(refusal(state), parts);
  expect_parts(refusal(state, gru_named("rnn", R"(, {"type": "linear", "name": "fc"})")), parts);
}

// ---- 11: tensors of layers that do not exist here -----------------------------------------------

TEST(Trial11, TheFirstAnswerListsEveryTensorWithoutALayer) {
  const Tensors fc = {{"fc.weight", {2, 4}}, {"fc.bias", {2}}};
  struct Case {
    const char* kind;
    Tensors tensors;
  };
  for (const Case& c : std::vector<Case>{
           {"attention",
            {{"att.in_proj_weight", {12, 4}},
             {"att.in_proj_bias", {12}},
             {"att.out_proj.weight", {4, 4}},
             {"att.out_proj.bias", {4}}}},
           {"attention",
            {{"a.q_proj_weight", {4, 4}},
             {"a.k_proj_weight", {4, 3}},
             {"a.v_proj_weight", {4, 3}},
             {"a.out_proj.weight", {4, 4}}}},
           {"layer normalisation", {{"ln.weight", {4}}, {"ln.bias", {4}}}},
           {"normalisation", {{"rms.weight", {4}}}},
           {"batch normalisation",
            {{"bn.weight", {4}},
             {"bn.bias", {4}},
             {"bn.running_mean", {4}},
             {"bn.running_var", {4}},
             {"bn.num_batches_tracked", {}}}},
           {"batch normalisation", {{"bn.running_mean", {4}}, {"bn.running_var", {4}}}},
           {"a convolution of images", {{"conv.weight", {3, 1, 3, 3}}, {"conv.bias", {3}}}},
           {"an embedding", {{"token_embedding.weight", {100, 3}}}},
           {"attention, by its name", {{"self_attn.weight", {4, 4}}, {"self_attn.bias", {4}}}},
           {"attention, by its name", {{"query.weight", {4, 4}}, {"value.weight", {4, 4}}}},
           {"a weight in parts", {{"o.parametrizations.weight.original", {2, 4}}, {"o.bias", {2}}}},
           {"a weight in parts",
            {{"o.weight_orig", {2, 4}}, {"o.weight_u", {2}}, {"o.weight_v", {4}}, {"o.bias", {2}}}},
           {"a weight in parts", {{"o.weight_orig", {2, 4}}, {"o.weight_mask", {2, 4}}}}}) {
    SCOPED_TRACE(c.kind);
    const StateDict state = state_of(both(both(gru("rnn"), c.tensors), fc));
    const std::string with_fc = gru_named("rnn", R"(, {"type": "linear", "name": "fc"})");
    std::string open = with_fc;
    open.replace(open.find(R"(, "readout": "last")"), 19, "");
    const std::string misspelt = gru_named("rnn", R"(, {"type": "linear", "name": "fx"})");
    for (const std::string& text : {refusal(state), refusal(state, with_fc), refusal(state, open),
                                    refusal(state, misspelt)}) {
      expect_parts(text, {c.kind, "can't be imported"});
      for (const auto& [name, shape] : c.tensors)
        expect_parts(text, {fmt::format("{} [{}]", name, fmt::join(shape, ", "))});
      EXPECT_EQ(text.find("fc.weight ["), std::string::npos) << text;
    }
  }
}

TEST(Trial11, TensorsOfNoKnownLayerAreListedToo) {
  const Tensors list = {{"ws.0", {4, 3}}, {"ws.1", {4, 3}}, {"table", {2, 3, 5}}};  // ParameterList
  const StateDict state = state_of(both(gru("rnn"), list));
  for (const std::string& text : {refusal(state), refusal(state, gru_named("rnn"))})
    expect_parts(text,
                 {"ws.0 is not part of the model", "ws.1 is not", "table is not", "--ignore NAME"});
  // A network without a known layer.
  expect_parts(refusal(state_of({{"A", {4, 4}}, {"B", {4, 3}}})), {"A is not part", "B is not"});
}

TEST(Trial11, NothingIsProposedThatCannotWork) {
  // Two heads, a cell written by hand, a decoder beside an encoder, attention of linear layers.
  for (const Tensors& tensors :
       {both(gru("rnn"), {{"a.weight", {5, 4}}, {"a.bias", {5}}, {"b.weight", {1, 4}}}),
        Tensors{
            {"i2h.weight", {4, 7}}, {"i2h.bias", {4}}, {"i2o.weight", {2, 7}}, {"i2o.bias", {2}}},
        both(both(gru("encoder"), gru("decoder")), {{"fc.weight", {3, 4}}, {"fc.bias", {3}}}),
        both(gru("rnn"), {{"score.weight", {1, 4}}, {"score.bias", {1}}, {"fc.weight", {2, 4}}})})
    for (const bool sorted : {false, true}) {
      StateDict state = state_of(tensors);
      if (sorted) std::ranges::sort(state.arrays, {}, &io::ArrayView::name);
      expect_parts(refusal(state),
                   {"its layers do not fit one after the other", "side by side", " and gives "});
    }
}

TEST(Trial11, AnOrderThatFitsIsFound) {
  // Sorted by name, "a" comes first, but the sizes only fit if it comes last.
  const StateDict state = state_of({{"a.weight", {1, 4}},
                                    {"a.bias", {1}},
                                    {"b.weight", {4, 4}},
                                    {"b.bias", {4}},
                                    {"rnn.weight_ih_l0", {12, 3}},
                                    {"rnn.weight_hh_l0", {12, 4}}});
  const std::string text = question(state);
  const auto rnn = text.find(R"("name": "rnn")"), b = text.find(R"("name": "b")"),
             a = text.find(R"("name": "a")");
  EXPECT_LT(rnn, b) << text;
  EXPECT_LT(b, a) << text;
}

TEST(Trial11, ManyLayersAreALimitAndNoWork) {
  Tensors many;
  for (int i = 0; i < 300; ++i) many.emplace_back(fmt::format("l{}.weight", i), Shape{4, 4});
  expect_parts(refusal(state_of(many)), {"more than 256 layers"});
  std::string layers;
  for (int i = 0; i < 300; ++i) layers += R"({"type": "activation", "function": "relu"}, )";
  expect_parts(
      refusal(state_of(gru("rnn")), R"({"layers": [)" + layers + R"({"type": "flatten"}]})"),
      {"301 layers, expected at most 256"});
}

// ---- 11: layers that can be imported with little work -------------------------------------------

// |(3, 4)| is 5, |(0, 2)| is 2: with g (10, 3) the rows are (6, 8) and (0, 3).
TEST(Trial11, WeightNormIsPutTogether) {
  struct Parts {
    const char *g, *v;
  };
  for (const Parts& parts :
       {Parts{"fc.weight_g", "fc.weight_v"},
        Parts{"fc.parametrizations.weight.original0", "fc.parametrizations.weight.original1"}}) {
    StateDict state = state_of({});
    add(state, "fc.bias", {2}, {1, 2});
    add(state, parts.g, {2, 1}, {10, 3});
    add(state, parts.v, {2, 2}, {3, 4, 0, 2});
    const ImportedModel model =
        import_model(state, R"({"layers": [{"type": "linear", "name": "fc"}]})");
    ASSERT_EQ(model.weights.size(), 2u);
    EXPECT_EQ(model.weights[0].name, "fc.weight");
    EXPECT_EQ(model.weights[0].values, (std::vector<float>{6, 8, 0, 3}));
    EXPECT_EQ(model.weights[1].values, (std::vector<float>{1, 2}));
  }
}

TEST(Trial11, WeightNormOverOtherDimensions) {
  const auto weight = [](const Shape& g_shape, const std::vector<float>& g) {
    StateDict state = state_of({});
    add(state, "rnn.weight_hh_l0_g", g_shape, g);
    add(state, "rnn.weight_hh_l0_v", {2, 2}, {3, 0, 4, 2});
    const PutTogether together = without_weight_norm(state.arrays);
    EXPECT_EQ(together.arrays.size(), 1u);
    EXPECT_EQ(together.arrays[0].name, "rnn.weight_hh_l0");
    return io::floats_of<float>(together.arrays[0]);
  };
  EXPECT_EQ(weight({1, 2}, {10, 3}), (std::vector<float>{6, 0, 8, 3}));  // dim=1
  const auto whole = static_cast<float>(1 / std::sqrt(29.0));            // dim=None
  const std::vector<float> all = weight({}, {1});
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(all[k], std::vector<float>({3, 0, 4, 2})[k] * whole, 1e-7);
  // Parts that do not fit together stay as they are.
  StateDict state =
      state_of({{"a.weight_g", {3, 1}}, {"a.weight_v", {2, 2}}, {"b_v", {2}}, {"b_g", {1}}});
  EXPECT_EQ(without_weight_norm(state.arrays).arrays.size(), 4u);
}

TEST(Trial11, LearntStatesHaveANameOfTheirOwn) {
  const Tensors lstm = {{"rnn.weight_ih_l0", {16, 3}}, {"rnn.weight_hh_l0", {16, 4}}};
  const std::string plain = R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last"}]})",
                    named = R"({"layers": [{"type": "lstm", "name": "rnn", "readout": "last",
                                "h_0": "h0", "c_0": "c0"}]})";
  for (const Shape& shape : {Shape{1, 1, 4}, Shape{1, 4}, Shape{4}}) {
    StateDict state = state_of(lstm);
    add(state, "model.h0", shape, {1, 2, 3, 4});
    add(state, "model.c0", shape, {5, 6, 7, 8});
    const ImportedModel model = import_model(state, named);
    EXPECT_TRUE(std::get<spec::RecurrentSpec>(model.spec.layers[0]).learn_initial_state);
    ASSERT_EQ(model.weights.size(), 4u);
    EXPECT_EQ(model.weights[2].name, "rnn.h_0");
    EXPECT_EQ(model.weights[2].shape, (Shape{1, 1, 4}));
    EXPECT_EQ(model.weights[2].values, (std::vector<float>{1, 2, 3, 4}));
    EXPECT_EQ(model.weights[3].values, (std::vector<float>{5, 6, 7, 8}));
    // If the architecture does not name them, the question does, and its file has the answer.
    for (const auto& architecture : {std::optional<std::string>(), std::optional(plain)})
      expect_parts(question(state, architecture),
                   {R"("h_0": "model.h0", "c_0": "model.c0"})", "learnt initial state"});
  }
  StateDict state = state_of(lstm);
  add(state, "h0", {1, 1, 5}, {1, 2, 3, 4, 5});
  add(state, "c0", {1, 1, 5}, {1, 2, 3, 4, 5});
  expect_parts(refusal(state, named), {"rnn.h_0 has shape [1, 1, 5], expected [1, 1, 4]"});
  expect_parts(refusal(state, plain), {"h0 is not part of the model", "c0 is not"});
}

TEST(Trial11, ASoftmaxIsAnEnding) {
  const StateDict state = state_of(gru("rnn"));
  const auto model = [&](const std::string& function, const std::string& more = "") {
    return import_model(
        state, fmt::format(R"({{"layers": [{{"type": "gru", "name": "rnn", "readout": "last"}},
                           {{"type": "activation", "function": "{}"}}{}}})",
                           function, more.empty() ? "]" : more));
  };
  EXPECT_EQ(model("softmax").ending, Ending::softmax);
  EXPECT_EQ(model("log_softmax").ending, Ending::log_softmax);
  EXPECT_EQ(model("log_softmax").spec.layers.size(), 1u);
  EXPECT_EQ(model("tanh").ending, Ending::none);
  EXPECT_EQ(model("tanh").spec.layers.size(), 2u);
  expect_parts(error_of<FormatError>(
                   [&] { model("softmax", R"(, {"type": "activation", "function": "tanh"}])"); }),
               {"softmax can only be the last layer"});
  expect_parts(error_of<FormatError>([&] { model("softmax", R"(], "output": "values")"); }),
               {"softmax needs \"output\": \"logits\""});
  // exp(0) : exp(ln 3) is 1 : 3.
  std::vector<double> outputs = {0, std::log(3.0), 7, 7};
  apply(Ending::softmax, 2, outputs);
  for (std::size_t k = 0; k < 4; ++k)
    EXPECT_NEAR(outputs[k], std::vector<double>({0.25, 0.75, 0.5, 0.5})[k], 1e-15);
  outputs = {0, std::log(3.0), 7, 7};
  apply(Ending::log_softmax, 2, outputs);
  EXPECT_NEAR(outputs[1], std::log(0.75), 1e-15);
  EXPECT_NEAR(outputs[2], std::log(0.5), 1e-15);
}

}  // namespace
}  // namespace unroll::importer
