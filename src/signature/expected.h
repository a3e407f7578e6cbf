// The expected hashes of `unroll signature`, for this revision of the numerics. Written by
// scripts/expected_signature.sh. Only a new revision changes existing ones.
#pragma once

#include <string_view>

namespace unroll::signature {

struct Expected {
  std::string_view model, hash;
};

inline constexpr int expected_revision = 5;
inline constexpr Expected expected[] = {
    {"rnn_relu", "5b471250ffe2b71b"},
    {"rnn_tanh", "712ec3cca969f6cc"},
    {"rnn_relu_2layers", "a4caf171b8d48152"},
    {"rnn_tanh_3layers", "b0d97cc64659427d"},
    {"rnn_relu_wide", "1dab55d64b99e9ad"},
    {"rnn_tanh_long", "898c3173dbfc09fc"},
    {"rnn_relu_f64", "dc6fb751e497d9f0"},
    {"rnn_tanh_2layers_f64", "3d1ffce25b2f4668"},
    {"rnn_every_step", "bfe5f0ca478e9331"},
    {"rnn_adam", "4dbe5076f4e29451"},
    {"rnn_muon", "726a99c8eccb8387"},
    {"rnn_muon_f64", "74bbeab4a261796a"},
    {"rnn_tokens", "882a87836a2ab994"},
    {"rnn_chunks", "db458235b3f4468a"},
    {"mlp", "5f00a77c7bb411be"},
    {"mlp_adamw_f64", "b18cf33b3967f135"},
    {"cnn", "de040eb2bdf0e563"},
    {"cnn_adam_f64", "023b071c503e6da6"},
    {"lstm", "952a6a6740ac020d"},
    {"gru", "d7e9e556dc8d6e2e"},
    {"lstm_f64", "0b2dbe51d00ebefc"},
    {"gru_f64", "0937eaedf34b71c1"},
    {"lstm_wide", "37d077ca0912701f"},
    {"lstm_projected", "81b29c8afe58e8e0"},
    {"gru_ragged", "0eda16fc15771ae8"},
    {"rnn_ragged", "2130bc9a1ee28af7"},
    {"rnn_regularised", "359f2f21e5811775"},
    {"lstm_regularised", "8d80f216a9a5e5a9"},
    {"gru_regularised", "7543f959dc9680b9"},
    {"lstm_everything", "00f522eb5237a01c"},
    {"gru_chunks", "29ef0365385ff4db"},
    {"lstm_layer_norm", "a2c66160fbbdaaa1"},
    {"gru_layer_norm", "29202f9ba61b9d47"},
    {"gru_wide", "2fc0418316ec0b6c"},
    {"conv1d_ragged", "f473da74e83d74a3"},
    {"conv1d_f64", "e586638e6dcb4bb2"},
};

}  // namespace unroll::signature
