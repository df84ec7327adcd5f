"""Writes the traces that the tests audit: DDPO as loops of PyTorch, right and wrong.

python3 traces.py OUT: needs PyTorch 1.13 and NumPy.
"""
import sys

import numpy as np
import torch

T, D, N = 5, 4, 64
sigma = torch.tensor([0.3, 0.4, 0.5, 0.6, 0.7])


def run(seed, batches, baseline, mean_density=False, unpaid=(), last_noise=True):
    """One iteration: sample, score, and the gradient of each batch's mean reward."""
    torch.manual_seed(seed)
    net = torch.nn.Sequential(torch.nn.Linear(D, 3), torch.nn.Tanh(), torch.nn.Linear(3, D))
    params = list(net.parameters())
    deviation = sigma.clone()
    if not last_noise:
        deviation[0] = 0
    eps = torch.randn(T, N, D)
    states = [torch.randn(N, D)]
    with torch.no_grad():
        for t in range(T - 1, -1, -1):
            x = states[-1]
            states.append(0.8 * x + net(x) + deviation[t] * eps[t])
    reward = -((states[-1] - 1) ** 2).sum(1)
    size = N // batches
    if baseline == "leaveOneOut":
        groups = reward.reshape(-1, size if size > 1 else N)
        others = (groups.sum(1, keepdim=True) - groups) / (groups.shape[1] - 1)
        advantage = (groups - others).reshape(-1)
    elif baseline == "normalised":
        groups = reward.reshape(-1, size)
        advantage = ((groups - groups.mean(1, keepdim=True)) / groups.std(1, keepdim=True)).reshape(-1)
    else:
        advantage = reward
    log_density = torch.zeros(T, N)
    score = torch.zeros(T, N, sum(p.numel() for p in params))
    loss = [0.0 for _ in range(N)]
    for t in range(T):
        if deviation[t] == 0:
            continue
        x, y = states[T - 1 - t], states[T - t]
        each = -0.5 * ((y - 0.8 * x - net(x)) / deviation[t]) ** 2 - torch.log(deviation[t])
        log_p = each.mean(1) if mean_density else each.sum(1)
        log_density[t] = log_p.detach()
        for n in range(N):
            grads = torch.autograd.grad(log_p[n], params, retain_graph=True)
            score[t, n] = torch.cat([g.reshape(-1) for g in grads])
            if t + 1 not in unpaid:
                loss[n] = loss[n] + advantage[n] * log_p[n]
    gradient = []
    for b in range(batches):
        total = sum(loss[b * size : (b + 1) * size]) / size
        grads = torch.autograd.grad(total, params, retain_graph=True)
        gradient.append(torch.cat([g.reshape(-1) for g in grads]))
    return dict(
        sigma=deviation.numpy(),
        eps=eps.numpy(),
        reward=reward.numpy(),
        advantage=advantage.numpy(),
        log_density=log_density.numpy(),
        score=score.numpy(),
        gradient=torch.stack(gradient).numpy(),
    )


traces = {
    "correct": run(1, 64, "leaveOneOut"),
    "mean-density": run(2, 16, "none", mean_density=True),
    "last-unpaid": run(3, 32, "leaveOneOut", unpaid=(T,)),
    "normalised": run(4, 16, "normalised"),
    "no-last-noise": run(5, 64, "leaveOneOut", last_noise=False),
}
for name, arrays in traces.items():
    np.savez_compressed(f"{sys.argv[1]}/{name}.npz", **arrays)
