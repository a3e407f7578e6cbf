"""CartPole without velocities: a policy that has to remember, trained by PPO.

usage: rl.py [--chunks 150] [--seed 0] [--no-memory] [--loop] [--curve FILE]

The policy sees where the cart is and how far the pole leans, but not how fast they move. It must find
that out from earlier steps, so it has a recurrent layer. With --no-memory it has none, and fails.

Unroll is in two places. `Stepper` acts: it keeps the states of all environments. `sequences` learns:
one call computes whole chunks, in which episodes end anywhere. With --loop PyTorch's layer computes
them in the usual loop over time steps, to compare the time.
"""

import argparse
import csv
import time
from typing import Any

import gymnasium
import torch
from torch import Tensor, nn

import unroll.torch

ENVS, STEPS = 16, 128  # a chunk: N environments, T steps of each
GAMMA, LAMBDA, CLIP = 0.99, 0.95, 0.2
EPOCHS, GROUPS = 4, 4  # a chunk is used 4 times, by a quarter of the environments in an update


class Policy(nn.Module):
    """The logits of two actions and the value of the state, from what was seen so far."""

    def __init__(self, memory: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(2, 64) if memory else None
        self.dense = nn.Sequential(nn.Linear(2, 64), nn.Tanh())  # in its place without memory
        self.actor, self.critic = nn.Linear(64, 2), nn.Linear(64, 1)
        nn.init.normal_(self.actor.weight, std=0.01)

    def heads(self, features: Tensor) -> tuple[Any, Tensor]:
        """Give the distribution of actions and the value, for features (..., 64)."""
        return torch.distributions.Categorical(logits=self.actor(features)), self.critic(features)[..., 0]


def loop(layer: nn.GRU, x: Tensor, h: Tensor, resets: Tensor) -> tuple[Tensor, Tensor]:
    """Compute what `sequences` computes one step after the other, as most programs do."""
    rows = []
    for x_t, reset in zip(x, resets, strict=True):
        out, h = layer(x_t[None], h * ~reset[:, None])
        rows.append(out)
    return torch.cat(rows), h


class CartPole:
    """N environments, in PyTorch's tensors."""

    def __init__(self, seed: int) -> None:
        self.envs = gymnasium.make_vec("CartPole-v1", num_envs=ENVS)
        self.seen = self._look(self.envs.reset(seed=seed)[0])
        self.sums, self.returns = torch.zeros(ENVS), list[float]()

    @staticmethod
    def _look(observation: Any) -> Tensor:
        position_and_angle = torch.as_tensor(observation)[:, [0, 2]]
        return position_and_angle * torch.tensor([0.5, 5.0])  # to about 1

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give rewards, which poles fell, and which episodes ended, (N,) each."""
        observation, reward, fell, cut, _ = self.envs.step(actions.numpy())
        rewards, ended = torch.as_tensor(reward, dtype=torch.float32), torch.as_tensor(fell | cut)
        self.seen = self._look(observation)
        self.sums += rewards
        self.returns += self.sums[ended].tolist()
        self.sums[ended] = 0
        return rewards, torch.as_tensor(fell), ended


class Learner:
    """Collects chunks, and learns from them."""

    def __init__(self, seed: int, memory: bool, by_loop: bool) -> None:
        torch.manual_seed(seed)
        self.policy, self.envs = Policy(memory), CartPole(seed)
        self.sequences: Any = loop if by_loop else unroll.torch.sequences
        self.step = unroll.torch.Stepper(self.policy.gru, batch=ENVS) if self.policy.gru else None
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=0.0025, eps=1e-5)
        # An environment needs an `idle` step between the end of an episode and the `first` of the next.
        self.first = self.idle = torch.zeros(ENVS, dtype=torch.bool)

    def features(self) -> Tensor:
        """Give what the policy knows after the newest observation, (N, 64)."""
        if self.step is None:
            features: Tensor = self.policy.dense(self.envs.seen)
            return features
        self.step.reset(self.first)
        return self.step(self.envs.seen)

    @torch.no_grad()
    def collect(self) -> dict[str, Tensor]:
        """Act for T steps. Give what was seen and done, (T, N, ...), and the state before."""
        rows: dict[str, list[Tensor]] = {}
        before = self.step.state if self.step else torch.zeros(1, ENVS, 0)
        for _ in range(STEPS):
            row = {"x": self.envs.seen, "first": self.first, "idle": self.idle}
            actions, row["value"] = self.policy.heads(self.features())
            row["action"] = actions.sample()
            row["log"] = actions.log_prob(row["action"])
            row["reward"], row["fell"], row["ended"] = self.envs.step(row["action"])
            self.first, self.idle = self.idle, row["ended"]
            for name, values in row.items():
                rows.setdefault(name, []).append(values)
        # The value after the last step. The stepper then goes back to before this look.
        state = self.step.state if self.step else None
        following = self.policy.heads(self.features())[1]
        if self.step:
            self.step.state = state
        chunk = {name: torch.stack(values) for name, values in rows.items()}

        # Generalised advantage estimation, from the last step to the first
        chunk["gain"] = torch.zeros(STEPS, ENVS)
        gain = torch.zeros(ENVS)
        for t in reversed(range(STEPS)):
            error = 0.1 * chunk["reward"][t] + GAMMA * following * ~chunk["fell"][t] - chunk["value"][t]
            gain = chunk["gain"][t] = error + GAMMA * LAMBDA * gain * ~chunk["ended"][t]
            following = chunk["value"][t]
        return chunk | {"target": chunk["gain"] + chunk["value"], "state": before}

    def learn(self, chunk: dict[str, Tensor]) -> None:
        """Make PPO's updates."""
        for group in (g for _ in range(EPOCHS) for g in torch.randperm(ENVS).view(GROUPS, -1)):
            part = {name: values[:, group] for name, values in chunk.items()}
            if self.policy.gru:
                features, _ = self.sequences(self.policy.gru, part["x"], part["state"], part["first"])
            else:
                features = self.policy.dense(part["x"])
            used = ~part["idle"]
            part = {name: values[used] for name, values in part.items() if name != "state"}
            actions, values = self.policy.heads(features[used])
            gain = (part["gain"] - part["gain"].mean()) / (part["gain"].std() + 1e-8)
            ratio = (actions.log_prob(part["action"]) - part["log"]).exp()
            policy_loss = -torch.min(ratio * gain, ratio.clamp(1 - CLIP, 1 + CLIP) * gain).mean()
            value_loss = (values - part["target"]).square().mean()
            self.optimizer.zero_grad()
            (policy_loss + 0.5 * value_loss - 0.01 * actions.entropy().mean()).backward()
            nn.utils.clip_grad_norm_(self.policy.parameters(), 0.5)
            self.optimizer.step()


def main() -> None:
    """Train, and print the mean return of the last 100 episodes."""
    parser = argparse.ArgumentParser(description="CartPole without velocities, by a recurrent policy.")
    parser.add_argument("--chunks", type=int, default=150, help="128 steps of 16 environments. Default 150")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random. Default 0")
    parser.add_argument("--no-memory", action="store_true", help="a dense layer instead of the GRU")
    parser.add_argument("--loop", action="store_true", help="learn by PyTorch's layer, in a loop over time")
    parser.add_argument("--curve", help="write the mean returns to this file (CSV)")
    options = parser.parse_args()
    torch.set_num_threads(1)  # so small a network gains nothing from two

    learner = Learner(options.seed, not options.no_memory, options.loop)
    curve, learning, start = list[tuple[int, float]](), 0.0, time.perf_counter()
    for number in range(1, options.chunks + 1):
        chunk = learner.collect()
        before = time.perf_counter()
        learner.learn(chunk)
        learning += time.perf_counter() - before
        last = learner.envs.returns[-100:]
        curve.append((number * STEPS * ENVS, sum(last) / len(last)))
        if number % 10 == 0 or number == options.chunks:
            print(
                f"Step: {curve[-1][0]}, mean return of {len(last)} episodes: {curve[-1][1]:.1f}", flush=True
            )
    print(f"{time.perf_counter() - start:.1f} s, {learning:.1f} of them for learning")
    if options.curve:
        with open(options.curve, "w", newline="") as file:
            csv.writer(file).writerows([("step", "mean return"), *curve])


if __name__ == "__main__":
    main()
