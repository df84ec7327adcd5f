"""Writes traces without scores, and the model whose steps they are of, as ONNX.

python3 model.py OUT: needs PyTorch 1.13 and NumPy.
"""
import sys

import numpy as np
import torch

T, D, N = 5, 4, 48
sigma = torch.tensor([0.3, 0.4, 0.5, 0.6, 0.7])


class Mean(torch.nn.Module):
    """The mean of a step: of a state and the number of the step."""

    def __init__(self):
        super().__init__()
        self.net = torch.nn.Sequential(torch.nn.Linear(D, 3), torch.nn.Tanh(), torch.nn.Linear(3, D))

    def forward(self, x, t):
        return 0.8 * x + (1 + 0.1 * t) * self.net(x)


torch.manual_seed(11)
mean = Mean()
params = list(mean.parameters())


def run(seed, weights=(1, 1, 1, 1, 1), mean_density=False, stale=False):
    """One iteration, whose gradients of single samples have each step so many times."""
    torch.manual_seed(seed)
    eps = torch.randn(T, N, D)
    states = [torch.randn(N, D)]
    step = lambda t: torch.full((N, 1), float(t + 1))
    with torch.no_grad():
        for t in range(T - 1, -1, -1):
            states.insert(0, mean(states[0], step(t)) + (1.1 if stale and t == 2 else 1) * sigma[t] * eps[t])
    reward = -((states[0] - 1) ** 2).sum(1)
    advantage = reward - (reward.sum() - reward) / (N - 1)
    gradient = []
    log_density = torch.stack(
        [-0.5 * ((states[t] - mean(states[t + 1], step(t))) / sigma[t]).pow(2) - sigma[t].log() for t in range(T)]
    )
    log_p = log_density.mean(2) if mean_density else log_density.sum(2)
    for n in range(N):
        loss = advantage[n] * sum(w * log_p[t, n] for t, w in enumerate(weights))
        grads = torch.autograd.grad(loss, params, retain_graph=True)
        gradient.append(torch.cat([g.reshape(-1) for g in grads]))
    return dict(
        sigma=sigma.numpy(),
        eps=eps.numpy(),
        x=torch.stack(states).numpy(),
        reward=reward.numpy(),
        advantage=advantage.numpy(),
        gradient=torch.stack(gradient).numpy(),
    )


traces = {
    "model-correct": run(1),
    "model-mean-density": run(2, mean_density=True),
    "model-unpaid-doubled": run(3, weights=(1, 2, 1, 0, 1)),
    "model-stale": run(4, stale=True),
}
for name, arrays in traces.items():
    np.savez_compressed(f"{sys.argv[1]}/{name}.npz", **arrays)
torch.onnx.export(
    mean,
    (torch.zeros(2, D), torch.zeros(2, 1)),
    f"{sys.argv[1]}/model.onnx",
    input_names=["x", "t"],
    output_names=["mean"],
    dynamic_axes={"x": {0: "batch"}, "t": {0: "batch"}, "mean": {0: "batch"}},
    do_constant_folding=False,
)
