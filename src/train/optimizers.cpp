#include "train/optimizers.h"

#include "unroll/optim/adagrad.h"
#include "unroll/optim/adam.h"
#include "unroll/optim/muon.h"
#include "unroll/optim/rmsprop.h"
#include "unroll/optim/sgd.h"

namespace unroll::train {

std::unique_ptr<optim::Optimizer> make_optimizer(const Config& c, const Parameters& parameters) {
  switch (c.optimizer) {
    case Algorithm::adam:
      return std::make_unique<optim::Adam>(
          parameters,
          optim::AdamOptions{
              .lr = c.lr, .beta2 = c.beta2, .weight_decay = c.weight_decay, .amsgrad = c.amsgrad});
    case Algorithm::adamw:
      return std::make_unique<optim::AdamW>(
          parameters,
          optim::AdamWOptions{
              .lr = c.lr, .beta2 = c.beta2, .weight_decay = c.weight_decay, .amsgrad = c.amsgrad});
    case Algorithm::muon:
      return std::make_unique<optim::Muon>(
          parameters, optim::MuonOptions{.lr = c.lr,
                                         .momentum = c.momentum,
                                         .others = {.lr = c.lr_others > 0 ? c.lr_others : c.lr,
                                                    .beta2 = c.beta2,
                                                    .weight_decay = c.weight_decay}});
    case Algorithm::rmsprop:
      // Without momentum, like Hinton's RMSprop. With a rate and a momentum that suit Muon, it does
      // not learn.
      return std::make_unique<optim::RmsProp>(
          parameters,
          optim::RmsPropOptions{.lr = c.lr, .alpha = c.beta2, .weight_decay = c.weight_decay});
    case Algorithm::adagrad:
      return std::make_unique<optim::Adagrad>(
          parameters, optim::AdagradOptions{.lr = c.lr, .weight_decay = c.weight_decay});
    case Algorithm::sgd:
      break;
  }
  return std::make_unique<optim::Sgd>(
      parameters,
      optim::SgdOptions{.lr = c.lr, .momentum = c.momentum, .weight_decay = c.weight_decay});
}

}  // namespace unroll::train
