#!/usr/bin/env bash
# The works of the benchmark on a machine with an NVIDIA GPU, no network, and Python with PyTorch: eight minutes at most.
#
# Before, on a machine with a network, in a checkout:
#
#     npm ci && npm run build && npx tsc -p tsconfig.bench.json
#     npm ci --legacy-peer-deps --prefix bench/browser
#     npm install --no-save webgpu@latest && cp "$(command -v node)" bench/device/node
#
# Then carry the folder there and run, from its root, `bash bench/device.sh > device.jsonl`. It asks for nothing that is not in the
# folder but the driver (libvulkan.so.1 and the ICD of NVIDIA; `VK_ICD_FILENAMES` where the loader does not find it) and python3.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
node=bench/device/node
[ -x "$node" ] || node=node
say() { printf '{"step":"%s","said":%s}\n' "$1" "$(printf '%s' "$2" | "$node" -e 'process.stdout.write(JSON.stringify(require("fs").readFileSync(0,"utf8").slice(-2000)))')"; }

say machine "$(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>&1); $("$node" --version); $(uname -m)"
say vulkan "$(ls /usr/share/vulkan/icd.d /etc/vulkan/icd.d 2>&1; ldconfig -p 2>/dev/null | grep vulkan)"

# ours on WebGPU, from the package `webgpu`: the adapter, the tensor laws on it, and the works
timeout 120 "$node" dist/bench/device/Laws.js || say laws "ended with $?"
timeout 150 "$node" dist/bench/device/Works.js || say works "ended with $?"

# the same works by PyTorch
timeout 90 python3 bench/device/works.py || say pytorch "ended with $?"

# a fine-tune of a few steps from the terminal
started=$(date +%s%N)
out=$(timeout 90 "$node" cli/bin/halforder.js finetune --task faces --steps 5 --mode webgpu --out "$(mktemp -d)/run" 2>&1)
say finetune "exit $?, $((($(date +%s%N) - started) / 1000000)) ms: $out"
