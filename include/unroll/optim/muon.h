// Muon: orthogonalised momentum for the matrices of recurrent layers.
#pragma once

#include <optional>

#include "unroll/core/api.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/optimizer.h"

namespace unroll::optim {

struct MuonOptions {
  double lr = 0.005;
  double momentum = 0.9;
  bool nesterov = true;
  int ns_steps = 5;  ///< Newton-Schulz iterations
  AdamWOptions others = {
      .lr = 5e-3, .beta2 = 0.99, .weight_decay = 0};  ///< AdamW, for all other parameters
};

/// For each gate's block (R rows, C columns) of a recurrent matrix:
///
///     m = momentum m + (1 - momentum) g;  u = momentum m + (1 - momentum) g with Nesterov, else m
///     Z = u (transposed if R > C);  Z = Z / ||Z||_F
///     ns_steps times:  S = Z Z^T;  Z = 3.4445 Z - 4.775 S Z + 2.0315 S S Z
///     W -= lr sqrt(max(1, R / C)) Z (transposed back)
///
/// AdamW updates all other parameters (Parameter::gates is 0). W does not change if u is zero.
/// Throws ValueError for options outside their range.
/// Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
class UNROLL_API Muon : public Optimizer {
 public:
  explicit Muon(const Parameters& parameters, const MuonOptions& options = {})
      : Muon(ParameterGroups<MuonOptions>{{parameters, options}}) {}
  explicit Muon(const ParameterGroups<MuonOptions>& groups);

  void zero_grad() override;
  Parameters state() const override;

 private:
  void update(std::size_t index, std::size_t begin, std::size_t end) override;
  void end_step() override;
  std::vector<NamedState> named_state() const override { return {{"momentum_buffer", &momentum_}}; }

  std::vector<MuonOptions> options_;
  std::vector<Tensor> momentum_;
  std::optional<AdamW> others_;  // empty if all parameters are matrices
};

}  // namespace unroll::optim
