"""The works of `npm run bench` in PyTorch, on one thread, driven over stdin and stdout as `bench/Apart.ts` says.

`make` gives a work its settings and its arrays; `run` runs it and says how long it took: `ms` by the clock, `cpu` of the
processor.
"""
import json
import os
import sys
import time

import numpy as np

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
import torch  # noqa: E402

torch.set_num_threads(1)
functional = torch.nn.functional
names = [f"{layer}.{kind}" for layer in ("first", "second", "third") for kind in ("weight", "bias")]


def mlp(p, x):
    h = functional.silu(torch.addmm(p["first.bias"], x, p["first.weight"]))
    h = functional.silu(torch.addmm(p["second.bias"], h, p["second.weight"]))
    return torch.addmm(p["third.bias"], h, p["third.weight"])


def matmul(_, given):
    return lambda: given["a"] @ given["b"]


def rollout(settings, given):
    p = {name: given[name] for name in names}

    def run():
        state = given["x"]
        for t in range(settings["T"]):
            state = state * settings["keep"] + mlp(p, state) * settings["pull"] + given["eps"][t] * settings["noise"]
        return state

    return run


def unet(_, given):
    layers = [(given[f"w{k}"].permute(3, 2, 0, 1).contiguous(), given[f"b{k}"]) for k in range(10)]

    def conv(v, k):
        return functional.conv2d(v, *layers[k], padding=1)

    def block(v, k):
        return functional.silu(conv(v, k))

    def grow(v):
        return functional.interpolate(v, scale_factor=2, mode="nearest")

    def run():
        v = given["x"].permute(0, 3, 1, 2).contiguous()
        high = block(block(v, 0), 1)
        middle = block(block(functional.avg_pool2d(high, 2), 2), 3)
        low = block(block(functional.avg_pool2d(middle, 2), 4), 5)
        back = block(block(torch.cat([grow(low), middle], 1), 6), 7)
        y = conv(block(torch.cat([grow(back), high], 1), 8), 9)
        return y.permute(0, 2, 3, 1).contiguous()

    return run


class Chain:
    """A chain of DDIM, `table[t]` = what step t multiplies the state, the prediction and the noise by."""

    def __init__(self, settings, given):
        self.table = settings["table"]
        self.p = {name: given[name].requires_grad_(True) for name in names}
        self.leaves = list(self.p.values())
        self.settings = settings

    def mean(self, p, t, x):
        state, epsilon, _ = self.table[t]
        return x * state + mlp(p, x) * epsilon

    def step(self, p, t, x, eps):
        sigma = self.table[t][2]
        mean = self.mean(p, t, x)
        return mean if sigma == 0 else mean + eps[t - 1] * sigma

    def run(self, p, x, eps, start):
        """States from the start down to 0, the last one first."""
        states = [x]
        for t in range(start, 0, -1):
            own = p(t) if callable(p) else p
            states.insert(0, self.step(own, t, states[0], eps))
        return states

    def gradient(self, loss):
        return dict(zip(names, torch.autograd.grad(loss, self.leaves)))


def full(settings, given):
    chain = Chain(settings, given)

    def run():
        with torch.enable_grad():
            x0 = chain.run(chain.p, given["x"], given["eps"], settings["T"])[0]
            return chain.gradient((x0 * given["bar"]).sum())["first.weight"]

    return run


def score(chain, x, eps, j, h, advantage):
    """Half-order credit of h steps from j, for the state above them and the noises of all steps from j on."""
    for t in range(j + h - 1, j, -1):
        sigma = chain.table[t][2]
        x = chain.mean(chain.p, t, x) + eps[t - j] * sigma
    return (advantage[:, None] * eps[0] * chain.mean(chain.p, j, x)).sum() / chain.table[j][2]


def half(settings, given):
    chain = Chain(settings, given)

    def run():
        with torch.enable_grad():
            sum_of = score(chain, given["x"], given["eps"], 2, settings["h"], given["advantage"])
            return chain.gradient(sum_of)["first.weight"]

    return run


def estimator(chain, settings, given, eps, start, xi, j):
    """RLR with h steps from j: first-order on step 1, half-order on the segment, a central difference on the rest."""
    steps, radius, h = settings["T"], settings["radius"], settings["h"]
    batch = start.shape[0]
    own = range(j, j + h)

    def reward(x0):
        return -((x0 - given["aim"]) ** 2).mean(1)

    states = chain.run(chain.p, start, eps, steps)
    rewards = reward(states[0])
    advantage = (rewards - (rewards.sum() - rewards) / (batch - 1)) / batch
    sides = []
    for sign in (1, -1):
        moved = {name: chain.p[name] + sign * radius * xi[name] for name in names}
        at = lambda t, moved=moved: chain.p if t == 1 or t in own else moved
        sides.append(reward(chain.run(at, start, eps, steps)[0]))
    delta = ((sides[0] - sides[1]) / (2 * radius * batch)).sum()
    with torch.enable_grad():
        last = chain.gradient(reward(chain.step(chain.p, 1, states[1], eps)).mean())
        segment = chain.gradient(score(chain, states[j + h - 1], eps[j - 1 :], j, h, advantage))
    return {name: last[name] + segment[name] + delta * xi[name] for name in names}


def gradient(settings, given):
    chain = Chain(settings, given)
    xi = {name: given[f"xi.{name}"] for name in names}
    return lambda: estimator(chain, settings, given, given["eps"], given["x"], xi, settings["j"])["first.weight"]


def finetune(settings, given):
    chain = Chain(settings, given)
    rows, columns = given["x"].shape
    optimizer = torch.optim.AdamW(chain.leaves, lr=settings["rate"], weight_decay=0, maximize=True)

    def run():
        eps = torch.randn(settings["T"], rows, columns)
        xi = {name: torch.randn_like(chain.p[name]) for name in names}
        j = int(torch.randint(2, settings["T"] - settings["h"] + 2, ()))
        found = estimator(chain, settings, given, eps, torch.randn(rows, columns), xi, j)
        for name in names:
            chain.p[name].grad = found[name]
        optimizer.step()
        return chain.p["first.weight"].detach()

    return run


works = {
    "matmul": matmul,
    "rollout": rollout,
    "unet": unet,
    "full": full,
    "half": half,
    "gradient": gradient,
    "finetune": finetune,
}


def libraries():
    """The library that multiplies matrices, by the name of its file: PyTorch is slow on Debian's reference BLAS."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        files = {line.split("/")[-1].strip() for line in maps if "/" in line}
    found = sorted(name for name in files if any(part in name for part in ("blas", "mkl", "blis")))
    core = os.environ.get("OPENBLAS_CORETYPE")
    return (", ".join(found) or "its own") + (f" ({core})" if core else "")


def answer(message, data=b""):
    sys.stdout.buffer.write(json.dumps({**message, "bytes": len(data)}).encode() + b"\n")
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def main():
    torch.rand(2, 2) @ torch.rand(2, 2)
    answer({"what": f"PyTorch {torch.__version__} on {libraries()}, one thread"})
    work = None
    for line in sys.stdin.buffer:
        request = json.loads(line)
        if "make" in request:
            given = {}
            for name, shape in request["arrays"].items():
                count = int(np.prod(shape))
                given[name] = torch.from_numpy(
                    np.frombuffer(sys.stdin.buffer.read(4 * count), dtype=np.float32).reshape(shape).copy()
                )
            work = works[request["make"]](request["settings"], given)
            answer({})
        else:
            clock, processor = time.perf_counter(), time.process_time()
            with torch.no_grad():
                result = work().numpy()
            spent = {"ms": 1e3 * (time.perf_counter() - clock), "cpu": 1e3 * (time.process_time() - processor)}
            answer(spent, np.ascontiguousarray(result, dtype=np.float32).tobytes())


main()
