import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../src/kernel/plan/Sequence.js'
import { memoryImage } from '../../src/kernel/threads/MemoryImage.js'
import { lengths, placedCells } from '../../src/kernel/plan/Lengths.js'
import { listing, type Plan, plan } from '../../src/kernel/plan/Plan.js'
import { kernelText } from '../../src/kernel/gpujs/KernelText.js'
import { conv2d, type Images } from '../../src/lens/layer/Convolution.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Shape } from '../../src/tensor/Shape.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

const planOf = <const I extends Shapes>(
  inputs: I,
  body: Parameters<typeof Program.make<I, Exprs>>[1],
  limits = defaultLimits
): Plan => {
  const program = Program.make(inputs, body)
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  const bound = Program.bind(program.right, {})
  if (E.isLeft(bound)) throw new Error(JSON.stringify(bound.left))
  return plan(bound.right, limits)
}

const silu: X.Unary = (z) => X.mul(z, X.sigmoid(z))

describe('fusion', () => {
  test('a layer is one kernel: bias, activation, scale and residual follow the contraction', () => {
    const layer = planOf({ x: [8, 16], w: [16, 16], b: [16], s: [32] }, ({ x, w, b, s }) => {
      const z = X.add(X.matmul(x, w), b)
      return { y: X.add(x, X.add(X.mul(silu(z), X.slice(s, 0, 0, 16)), X.slice(s, 0, 16, 16))) }
    })
    expect(listing(layer)).toEqual(['contraction 8x16x16 by rows, then add sigmoid mul: [3, 2, 1, 0] -> 5'])
  })

  test('an elementwise chain over views is one kernel', () => {
    const chain = planOf({ x: [8, 16], y: [16, 8] }, ({ x, y }) => ({
      z: X.exp(X.neg(X.add(X.permute(y, [1, 0]), X.mul(x, X.slice(X.permute(y, [1, 0]), 1, 0, 16)))))
    }))
    expect(chain.calls).toHaveLength(1)
  })

  test('each product of a sum is added to what there is: none but one waits for the end', () => {
    const terms = [0, 1, 2, 3, 4, 5]
    const sum = planOf({ x: [6, 8, 16], w: [6, 16, 4] }, ({ x, w }) => ({
      y: terms
        .map((i): X.Expr => {
          const [a, b] = [X.reshape(X.slice(x, 0, i, 1), [8, 16]), X.reshape(X.slice(w, 0, i, 1), [16, 4])]
          return X.matmul(a, b)
        })
        .reduce((a, b) => X.add(a, b))
    }))
    expect(listing(sum).map((line) => line.replace(/:.*/, ''))).toEqual([
      'contraction 8x4x16 by rows',
      ...terms.slice(1).map(() => 'contraction 8x4x16 by rows, then add')
    ])
    expect(sum.work.peakBytes).toBe(2 * 4 * 8 * 4)
  })

  test('a core that both arguments of an operation read is still taken in', () => {
    const gated = planOf({ x: [8, 16], w: [16, 4] }, ({ x, w }) => ({ y: silu(X.matmul(x, w)) }))
    expect(listing(gated)).toEqual(['contraction 8x4x16 by rows, then sigmoid mul: [1, 0] -> 3'])
  })

  test('what goes into a reduction, and what follows it, is part of it', () => {
    const loss = planOf({ x: [8, 16], y: [8, 16] }, ({ x, y }) => {
      const d = X.sub(x, y)
      return { loss: X.scale(X.sum(X.mul(d, d), [0, 1]), 1 / 128) }
    })
    expect(listing(loss)).toEqual(['sum of sub mul over 128 for each of 1, then mul: [1, 0] -> 3'])
  })

  test('a costly value with several readers is stored, a cheap one is computed again', () => {
    const costly = planOf({ x: [8, 16], w: [16, 4], v: [16, 5] }, ({ x, w, v }) => ({
      a: X.sum(X.tanh(x), [0]),
      b: X.matmul(X.tanh(x), w),
      c: X.matmul(X.tanh(x), v)
    }))
    expect(costly.calls).toHaveLength(4)
    const cheap = planOf({ x: [8, 16] }, ({ x }) => ({ a: X.sum(X.neg(x), [0]), b: X.sum(X.neg(x), [1]) }))
    expect(cheap.calls).toHaveLength(2)
  })

  test('nothing is read twice from more buffers than a driver binds', () => {
    const inputs = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x${i}`, [6]]))
    for (const buffers of [2, 8]) {
      const wide = planOf(
        inputs,
        (xs) => {
          const all = Object.values(xs).map((x) => X.tanh(x))
          return { sum: all.reduce(X.add), stack: X.stack(all) }
        },
        { buffers, fuse: true }
      )
      expect(Math.max(...wide.kernels.map((kernel) => kernel.buffers))).toBeLessThanOrEqual(buffers)
    }
  })

  test('a program of inputs and literals has no kernels', () => {
    expect(planOf({ x: [3] }, ({ x }) => ({ x, one: X.fill([4], 1) })).calls).toEqual([])
  })
})

describe('sharing', () => {
  const steps = 50
  const rollout = planOf({ x: [4, 8], w: [8, 8], b: [8], noise: [steps, 4, 8] }, ({ x, w, b, noise }) => {
    let state: X.Expr<readonly [4, 8]> = x
    const states: Array<X.Expr> = [x]
    for (let t = 0; t < steps; t++) {
      const z = X.reshape(X.slice(noise, 0, t, 1), [4, 8])
      const score = silu(X.add(X.matmul(state, w), b))
      state = X.add(X.add(X.scale(state, 1 - t / 100), X.scale(score, t / 70)), X.scale(z, 0.1 + t / 1000))
      states.push(state)
    }
    return { trajectory: X.stack(states) }
  })

  test('the steps of a chain are one kernel with parameters', () => {
    const step = rollout.kernels.find(({ spec }) => spec.core._tag === 'Contraction')
    expect(rollout.kernels.filter(({ spec }) => spec.core._tag === 'Contraction')).toHaveLength(1)
    expect(step?.parameters).toEqual(['Float', 'Float', 'Integer', 'Float'])
    expect(rollout.calls).toHaveLength(steps + 1)
  })

  test('the source of a kernel is plain JavaScript over flat arrays', () => {
    const step = rollout.kernels.find(({ spec }) => spec.core._tag === 'Contraction')
    expect(step && kernelText(step)).toMatchInlineSnapshot(`
      "function (b0, b1, b2, b3, p0, p1, p2, p3) {
        const at = this.thread.x;
        const i0 = Math.floor((at + 0.5) / 8);
        const r1 = at - i0 * 8;
        const i2 = i0 * 8;
        const i3 = r1;
        let v4 = 0.0;
        for (let k5 = 0; k5 < this.constants.n0; k5++) { v4 += b0[i2 + k5] * b1[i3 + k5 * 8]; }
        const i6 = Math.floor((at + 0.5) / 8);
        const r7 = at - i6 * 8;
        const x8 = b0[i6 * 8 + r7];
        const x9 = (x8 * p0);
        const x10 = b2[r7];
        const x11 = (v4 + x10);
        const x12 = (1.0 / (1.0 + Math.exp(-(x11))));
        const x13 = (x11 * x12);
        const x14 = (x13 * p1);
        const x15 = (x9 + x14);
        const x16 = b3[p2 + i6 * 8 + r7];
        const x17 = (x16 * p3);
        const x18 = (x15 + x17);
        return x18;
      }"
    `)
  })
})

describe('work', () => {
  test('counts operations, traffic, and the most that is alive at once', () => {
    const { work } = planOf({ x: [4, 8], w: [8, 8] }, ({ x, w }) => {
      const a = X.tanh(X.matmul(x, w))
      return { y: X.matmul(X.tanh(X.einsum('ij,jk->ik', a, w)), w) }
    })
    expect(work.flops).toBe(3 * 2 * 4 * 8 * 8 + 2 * 32)
    expect(work.bytesMoved).toBe(4 * 3 * (32 + 64 + 32))
    expect(work.peakBytes).toBe(4 * (32 + 32))
  })

  test('a buffer that outputs share is counted once, inputs never', () => {
    const { work } = planOf({ x: [16] }, ({ x }) => ({ x, a: X.neg(x), b: X.neg(x) }))
    expect(work.peakBytes).toBe(4 * 16)
  })
})

describe('memory', () => {
  /** Widths that differ from step to step, so that few buffers are of one length. */
  const varied = (): Plan =>
    planOf({ x: [8, 24], w: [40, 40] }, ({ x, w }) => {
      let y: X.Expr = x
      const seen: Array<X.Expr> = []
      for (let i = 0; i < 20; i++) {
        const [from, to] = [y.shape[1] ?? 1, 9 + ((7 * i) % 31)]
        const part = X.slice<readonly [40, 40], 0, number>(w, 0, 0, Number(from))
        y = X.tanh(X.einsum<string, Shape, Shape>('ij,jk->ik', y, X.slice<Shape, 1, number>(part, 1, 0, to)))
        if (i % 6 === 0) seen.push(X.sum<Shape, readonly [1]>(y, [1]))
      }
      return { y, seen: X.stack(seen), wide: X.pad<Shape, 1, number>(y, 1, 2, 50) }
    })

  test('lengths of intermediate buffers cover what is written, and take less in all', () => {
    const plan = varied()
    const own = plan.kernels.map(({ spec }) => spec.cells)
    const chosen = lengths(plan)
    chosen.forEach((length, i) => expect(length).toBeGreaterThanOrEqual(own[i] ?? Infinity))
    expect(placedCells(plan, chosen)).toBeLessThan(placedCells(plan, own))
    const results = plan.outputs.flatMap(({ source }) => (source._tag === 'Buffer' ? [source.buffer] : []))
    for (const { kernel } of plan.calls.filter(({ output }) => results.includes(output))) {
      expect(chosen[kernel]).toBe(own[kernel])
    }
  })

  test('an image takes little more than what is alive at once', () => {
    const plan = varied()
    const { bytes } = memoryImage(plan, false)
    const kept = plan.buffers.reduce((n, buffer) => (buffer._tag === 'Written' ? n : n + 4 * buffer.size), 0)
    expect(bytes - kept).toBeGreaterThanOrEqual(plan.work.peakBytes)
    expect(bytes - kept).toBeLessThan(1.25 * plan.work.peakBytes)
  })

  test('steps that differ in numbers and places only run one module', () => {
    const chain = planOf({ x: [8, 16], w: [16, 16] }, ({ x, w }) => {
      let y: X.Expr<readonly [8, 16]> = x
      for (let t = 0; t < 40; t++) y = X.add(X.scale(y, 1 - t / 50), X.tanh(X.matmul(y, w)))
      return { y }
    })
    const { modules, steps } = memoryImage(chain, false)
    expect(steps).toHaveLength(40)
    expect(modules).toHaveLength(chain.kernels.length)
    expect(chain.kernels.length).toBeLessThanOrEqual(2)
  })
})

describe('padding', () => {
  test('of two axes is one kernel, which computes what is padded on the way', () => {
    const plan = planOf({ x: [2, 4, 4, 3] }, ({ x }) => ({ y: X.pad(X.pad(silu(x), 1, 1, 6), 2, 1, 6) }))
    expect(listing(plan)).toEqual(['sigmoid mul of 96, padded: [0] -> 1'])
  })
})

describe('convolution', () => {
  test('is a padding and one contraction over windows where they lie, then what follows it', () => {
    const plan = planOf({ x: [2, 8, 8, 4], weight: [3, 3, 4, 16], bias: [16] }, ({ x, weight, bias }) => ({
      // the batch is literal here, and the lens only passes it on
      y: silu(conv2d(4, 16).forward({ weight, bias }, X.retype(x, x.shape) as X.Expr as Images<4>))
    }))
    expect(listing(plan)).toEqual([
      'copy of 512, padded: [2] -> 3',
      'contraction 2x8x8x16x3x12 by rows, then add sigmoid mul: [3, 1, 0] -> 5'
    ])
  })
})
