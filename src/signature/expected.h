// The expected hashes of `unroll signature`, for this revision of the numerics. Written by
// scripts/expected_signature.sh. Only a new revision changes existing ones.
#pragma once

#include <string_view>

namespace unroll::signature {

struct Expected {
  std::string_view model, hash;
};

inline constexpr int expected_revision = 4;
inline constexpr Expected expected[] = {
    {"rnn_relu", "4d79f579305269e9"},
    {"rnn_tanh", "712ec3cca969f6cc"},
    {"rnn_relu_2layers", "fed6f5c612413ba9"},
    {"rnn_tanh_3layers", "b0d97cc64659427d"},
    {"rnn_relu_wide", "eba014ae52ae9896"},
    {"rnn_tanh_long", "898c3173dbfc09fc"},
    {"rnn_relu_f64", "eb89f59042aef526"},
    {"rnn_tanh_2layers_f64", "08658d69b8e5b375"},
    {"rnn_every_step", "b46b63890d46fc7d"},
    {"rnn_adam", "7410b7d21c36970f"},
    {"rnn_muon", "2c36abf925c9b630"},
    {"rnn_muon_f64", "47a09a985e725725"},
    {"mlp", "f19046de46c6f4c6"},
    {"mlp_adamw_f64", "a6626c9ed20c5774"},
    {"cnn", "4e4237428c6d81f6"},
    {"cnn_adam_f64", "6db8d89c1ca63d82"},
    {"lstm", "5e47a0c2626f13c7"},
    {"gru", "91360c8bfdbb671a"},
    {"lstm_f64", "0b2dbe51d00ebefc"},
    {"gru_f64", "0937eaedf34b71c1"},
    {"lstm_wide", "314bffb3ff2be8ff"},
    {"lstm_projected", "380317ecef30d3f0"},
    {"gru_ragged", "94004b44f46d3854"},
    {"rnn_ragged", "9b7f81e2605585ad"},
    {"rnn_regularised", "04dfe22c65e0c495"},
    {"lstm_regularised", "c796e7b04f7546c3"},
    {"gru_regularised", "545c1010e729bb7a"},
    {"lstm_layer_norm", "fd29def18e38d50c"},
    {"gru_layer_norm", "091c482c26c7ff32"},
};

}  // namespace unroll::signature
