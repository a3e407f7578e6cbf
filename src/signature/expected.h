// The hashes that `unroll signature` must find, for this revision of the numerics.
// Written by scripts/expected_signature.sh; only a new revision changes those that are here.
#pragma once

#include <string_view>

namespace unroll::signature {

struct Expected {
  std::string_view model, hash;
};

inline constexpr int expected_revision = 3;
inline constexpr Expected expected[] = {
    {"rnn_relu", "4d79f579305269e9"},
    {"rnn_tanh", "3353236070e96ef5"},
    {"rnn_relu_2layers", "fed6f5c612413ba9"},
    {"rnn_tanh_3layers", "a79f353179e4e2de"},
    {"rnn_relu_wide", "eba014ae52ae9896"},
    {"rnn_tanh_long", "63448d47af60282a"},
    {"rnn_relu_f64", "eb89f59042aef526"},
    {"rnn_tanh_2layers_f64", "08658d69b8e5b375"},
    {"rnn_every_step", "c8f8e2a1c4ebb644"},
    {"rnn_adam", "7410b7d21c36970f"},
    {"rnn_muon", "2c36abf925c9b630"},
    {"rnn_muon_f64", "47a09a985e725725"},
    {"mlp", "07c2d81fbf55a661"},
    {"mlp_adamw_f64", "a6626c9ed20c5774"},
    {"cnn", "4e4237428c6d81f6"},
    {"cnn_adam_f64", "6db8d89c1ca63d82"},
};

}  // namespace unroll::signature
