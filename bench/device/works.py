"""The works of the benchmark by PyTorch in f32 on CUDA: copies in and out included, as ours has them. A line of JSON each."""
import json
import time

import torch
import torch.nn.functional as F

cuda = torch.cuda.is_available()
device = "cuda" if cuda else "cpu"
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
rounds = 20


def say(**line):
    print(json.dumps(line), flush=True)


def measure(work, run):
    try:
        start = time.perf_counter()
        run()
        first = 1e3 * (time.perf_counter() - start)
        times = []
        for _ in range(rounds):
            start = time.perf_counter()
            run()
            times.append(1e3 * (time.perf_counter() - start))
        times.sort()
        say(step="work", who="pytorch", work=work, first=first, median=times[rounds // 2], least=times[0])
    except Exception as error:
        say(step="work", who="pytorch", work=work, wrong=str(error)[-300:])


def matmul(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    measure(f"matmul-{n}", lambda: (a.to(device) @ b.to(device)).cpu())


def elementwise():
    x, y = torch.randn(2**20), torch.randn(2**20)

    def run():
        u, v = x.to(device), y.to(device)
        return (u * torch.sigmoid(u) * v + 0.5 * v).cpu()

    measure("elementwise-1m", run)


T, batch, D, H = 50, 64, 196, 256


def layers(grad=False):
    return [
        (
            (torch.randn(i, o, device=device) * 0.07).requires_grad_(grad),
            (torch.randn(o, device=device) * 0.1).requires_grad_(grad),
        )
        for i, o in [(D, H), (H, H), (H, D)]
    ]


def chain(x, eps, weights):
    for t in range(T):
        h = x
        for k, (w, b) in enumerate(weights):
            h = h @ w + b
            h = F.silu(h) if k < 2 else h
        x = 0.99 * x - 0.05 * h + 0.1 * eps[t]
    return x


def rollout():
    weights = layers()
    x, eps = torch.randn(batch, D), torch.randn(T, batch, D)

    def run():
        with torch.no_grad():
            return chain(x.to(device), eps.to(device), weights).cpu()

    measure("mlp-rollout", run)


def credit():
    weights = layers(True)
    x, eps, bar = torch.randn(batch, D), torch.randn(T, batch, D), torch.randn(batch, D) / batch

    def run():
        out = (chain(x.to(device), eps.to(device), weights) * bar.to(device)).sum()
        return [g.cpu() for g in torch.autograd.grad(out, [one for pair in weights for one in pair])]

    measure("credit-full", run)


def unet():
    shapes = [(3, 32), (32, 32), (32, 64), (64, 64), (64, 64), (64, 64), (128, 64), (64, 64), (96, 32), (32, 3)]
    weights = [(torch.randn(o, i, 3, 3, device=device) / (9 * i) ** 0.5, torch.randn(o, device=device)) for i, o in shapes]
    x = torch.randn(16, 3, 16, 16)

    def conv(v, k):
        return F.conv2d(v, weights[k][0], weights[k][1], padding=1)

    def block(v, k):
        return F.silu(conv(v, k))

    def run():
        with torch.no_grad():
            high = block(block(x.to(device), 0), 1)
            middle = block(block(F.avg_pool2d(high, 2), 2), 3)
            low = block(block(F.avg_pool2d(middle, 2), 4), 5)
            grow = lambda v: F.interpolate(v, scale_factor=2, mode="nearest")
            back = block(block(torch.cat([grow(low), middle], 1), 6), 7)
            return conv(block(torch.cat([grow(back), high], 1), 8), 9).cpu()

    measure("unet-forward", run)


say(step="pytorch", version=torch.__version__, device=torch.cuda.get_device_name() if cuda else "cpu")
for n in [256, 512, 1024, 2048]:
    matmul(n)
elementwise()
rollout()
unet()
credit()
