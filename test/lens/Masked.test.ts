/**
 * What is masked, dropped or weighed by 0 may be anything: infinite, or no number. It changes no bit of the rest. A mask that
 * is a product makes `0 Infinity`, which is no number.
 */
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { perStep } from '../../src/chain/PerStep.js'
import { cascadeOfTwo } from '../../src/chain/sampler/Cascade.js'
import * as Consistency from '../../src/chain/sampler/Consistency.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { autoguided } from '../../src/chain/Denoiser.js'
import { cosine, linear } from '../../src/chain/Schedule.js'
import { relu } from '../../src/lens/layer/Activation.js'
import { logSumExp } from '../../src/lens/layer/LogSumExp.js'
import { softmaxCrossEntropy } from '../../src/lens/layer/Loss.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { logProbabilityAmong, logProbabilityOfCondition } from '../../src/reward/Alignment.js'
import { brightness } from '../../src/reward/Pixels.js'
import { blackBox } from '../../src/reward/Reward.js'
import { weighted } from '../../src/reward/Weighted.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import { networkOf, paramsOf } from '../chain/network.js'
import { get } from '../network/adjoint.js'

const targets = [reference, gpuJs(), gpuJs({ mode: 'cpu' })]
afterAll(() => Promise.all(targets.map((target) => target.dispose())))

/** A program and values, with the places of an input that are masked, and the outputs that they must not reach. */
interface Case {
  readonly program: Program.Program
  readonly sizes: Readonly<Record<string, number>>
  readonly values: Values
  readonly masked: Readonly<Record<string, ReadonlyArray<number>>>
  readonly spared: ReadonlyArray<string>
}

const odd = fc.constantFrom(Infinity, -Infinity, Number.NaN, 3e38, -3e38, 1e-42, 0, -0)

const hostile = (values: Values, masked: Case['masked'], odds: ReadonlyArray<number>): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const places = masked[name] ?? []
      return [name, T.map((v, i) => (places.includes(i) ? (odds[places.indexOf(i) % odds.length] ?? v) : v))(value)]
    })
  )

/** **Masked.** The spared outputs have the same bits whatever stands at the masked places. */
const law = async ({ program, sizes, values, masked, spared }: Case): Promise<void> => {
  for (const target of targets) {
    const executable = get(target.compile(program, sizes))
    const before = get(await executable.run(values)())
    const bits = (out: Values): ReadonlyArray<ReadonlyArray<number>> =>
      spared.map((name) => Array.from(out[name]?.data ?? [], Number))
    expect(bits(before).flat().every(Number.isFinite)).toBe(true)
    expect(bits(before).flat().length).toBeGreaterThan(0)
    await fc.assert(
      fc.asyncProperty(fc.array(odd, { minLength: 4, maxLength: 4 }), async (odds) => {
        const after = get(await executable.run(hostile(values, masked, odds))())
        expect(bits(after)).toEqual(bits(before))
      }),
      { numRuns: 20 }
    )
    await executable.dispose()
  }
}

const row = (...data: ReadonlyArray<number>): T.Tensor => T.vector(data)
const matrix = (rows: number, ...data: ReadonlyArray<number>): T.Tensor => ({
  shape: [rows, data.length / rows],
  data: Float64Array.from(data)
})

describe('no masked value changes a bit', () => {
  it('of a weighing', () =>
    law({
      program: get(Program.make({ a: [4], w: [4] }, ({ a, w }) => ({ y: X.weigh(a, w) }))),
      sizes: {},
      values: { a: row(1, 2, 3, 4), w: row(0, 1, 0, -2) },
      masked: { a: [0, 2] },
      spared: ['y']
    }))

  it('of the cotangents that a relu drops', () =>
    law({
      program: get(
        Program.make({ x: [4], bar: [4] }, ({ x, bar }) => ({ y: relu<readonly [4]>().run({}, x)[1](bar)[1] }))
      ),
      sizes: {},
      values: { x: row(-1, 2, -3, 0), bar: row(1, 2, 3, 4) },
      masked: { bar: [0, 2, 3] },
      spared: ['y']
    }))

  it('of what is only waited for', () =>
    law({
      program: get(Program.make({ a: [3], b: [2], c: [2] }, ({ a, b, c }) => ({ y: X.after(a, [b, c]) }))),
      sizes: {},
      values: { a: row(1, -0, 3), b: row(1, 2), c: row(1, 2) },
      masked: { b: [0, 1], c: [0, 1] },
      spared: ['y']
    }))

  it('of a loss whose target gives a class no share, and of what comes back to the others', () =>
    law({
      program: get(
        Program.make({ x: ['batch', 2], c: ['batch', 2], bar: ['batch'] }, ({ x, c, bar }) => {
          // a third class whose logit is -Infinity beside the two
          const three = (two: Rows<2>, third: number): Rows<3> =>
            X.retype(X.concat<readonly ['batch', number], 1>([two, X.fill(['batch', 1], third)], 1), ['batch', 3])
          const [without, backWithout] = softmaxCrossEntropy(2).run({}, { x, c })
          const [value, back] = softmaxCrossEntropy(3).run({}, { x: three(x, -Infinity), c: three(c, 0) })
          return {
            difference: X.sub(value, without),
            pulled: X.sub(back(bar)[1].x, three(backWithout(bar)[1].x, 0)),
            // and without a mask, something that the odd values could reach
            value
          }
        })
      ),
      sizes: { batch: 2 },
      values: { x: matrix(2, 1, 2, -3, 0.5), c: matrix(2, 1, 0, 0.25, 0.75), bar: row(1, -2) },
      masked: {},
      spared: ['difference', 'pulled', 'value']
    }))

  it('of an attribute that a prompt leaves open', () =>
    law({
      program: get(
        Program.make({ z: ['batch', 4], c: ['batch', 4], bar: ['batch'] }, ({ z, c, bar }) => {
          const blocks = [
            { offset: 0, width: 2 },
            { offset: 2, width: 2 }
          ]
          const [value, back] = logProbabilityOfCondition(blocks, 4, c).run({}, z)
          return { value, bar: back(bar)[1] }
        })
      ),
      sizes: { batch: 1 },
      values: { z: matrix(1, 1, 2, 3, 4), c: matrix(1, 0, 1, 0, 0), bar: row(3) },
      masked: { z: [2, 3] },
      spared: ['value', 'bar']
    }))

  it('of a reward that is weighed by 0, on a device and on the host', async () => {
    const broken = {
      ...brightness(2),
      name: 'broken',
      lens: () =>
        L.pure<Rows<2>, X.Expr<readonly ['batch']>>((x) => [
          X.div(X.zeros(['batch']), X.zeros(['batch'])),
          () => X.div(X.zeros(x.shape), X.zeros(x.shape))
        ])
    }
    const both = weighted<readonly ['batch', 2], Record<never, never>>([
      [2, brightness(2)],
      [0, broken]
    ])
    const [value, back] = both.lens({}).run({ 0: {}, 1: {} }, X.input('x', ['batch', 2]))
    await law({
      program: get(Program.make({ x: ['batch', 2], bar: ['batch'] }, ({ bar }) => ({ value, bar: back(bar)[1] }))),
      sizes: { batch: 1 },
      values: { x: matrix(1, 1, 3), bar: row(1) },
      masked: {},
      spared: ['value', 'bar']
    })
    const hosted = weighted<readonly ['batch', 2]>([
      [1, blackBox('one', () => [1])],
      [0, blackBox('none', () => [Number.NaN])]
    ])
    expect(get(await hosted.evaluate(matrix(1, 1, 3))())).toEqual([1])
  })

  it('of the conditions of other parts of a chain', () => {
    const chain = perStep<'a' | 'b'>([
      ['a', 3],
      ['b', 1]
    ])(ddim({ denoiser: networkOf(2), schedule: cosine(4), eta: 1 }))
    const params = L.shapes(chain.parameters)
    return law({
      program: get(
        Program.make(
          { params, x: ['batch', 2], c: { a: ['batch', 1], b: ['batch', 1] }, bar: ['batch', 2], t: [] },
          ({ x, c, bar, t }) => {
            const [y, back] = chain.mean(t).run(L.parameterInputs('params', chain.parameters), { x, c })
            return { y, back: back(bar)[1] }
          }
        )
      ),
      sizes: { batch: 1 },
      values: {
        ...Program.under('params', paramsOf(2)),
        x: matrix(1, 1, -1),
        'c.a': matrix(1, 1),
        'c.b': matrix(1, 2),
        bar: matrix(1, 1, 2),
        t: T.scalar(1)
      },
      masked: { 'c.a': [0] },
      spared: ['y', 'back.x', 'back.c.a', 'back.c.b']
    })
  })

  it('of the network that a phase of a cascade does not ask', () => {
    const phase = { schedule: linear(2), coefficients: Consistency.coefficients }
    const chain = cascadeOfTwo({
      small: networkOf(4),
      denoiser: networkOf(4),
      layout: { side: 2, channels: 1 },
      low: phase,
      high: phase
    })
    const params = L.shapes(chain.parameters)
    return law({
      program: get(
        Program.make({ params, x: ['batch', 4], c: ['batch', 1], t: [] }, ({ x, c, t }) => ({
          y: chain.mean(t).forward(L.parameterInputs('params', chain.parameters), { x, c })
        }))
      ),
      sizes: { batch: 1 },
      values: {
        ...Program.under('params.low', paramsOf(4)),
        ...Program.under('params.high', paramsOf(4)),
        x: matrix(1, 1, -1, 2, 0.5),
        c: matrix(1, 1),
        t: T.scalar(1)
      },
      masked: { 'params.low.x.bias': [0, 1, 2, 3] },
      spared: ['y']
    })
  })

  it('of the weaker network under autoguidance of scale 1', () => {
    const { lens } = autoguided(1)(networkOf(2), networkOf(2))
    const params = L.shapes(lens.parameters)
    return law({
      program: get(
        Program.make({ params, x: ['batch', 2], time: ['batch', 1], c: ['batch', 1] }, ({ x, time, c }) => {
          const [y, back] = lens.run(L.parameterInputs('params', lens.parameters), { x, time, c })
          const [bar, inner] = back(x)
          return { y, bar, x: inner.x }
        })
      ),
      sizes: { batch: 1 },
      values: {
        ...Program.under('params.main', paramsOf(2)),
        ...Program.under('params.weak', paramsOf(2)),
        x: matrix(1, 1, -1),
        time: matrix(1, 0.5),
        c: matrix(1, 1)
      },
      masked: { 'params.weak.x.bias': [0, 1] },
      spared: ['y', 'bar.main.x.weight', 'x']
    })
  })

  it('is a law that a mask by a product breaks', async () => {
    const product: Case = {
      program: get(Program.make({ a: [2], w: [2] }, ({ a, w }) => ({ y: X.mul(a, w) }))),
      sizes: {},
      values: { a: row(1, 2), w: row(0, 1) },
      masked: { a: [0] },
      spared: ['y']
    }
    await expect(law(product)).rejects.toThrow('Property failed')
  })
})

/** The outputs of a lens of rows and what comes back for cotangents of 1, on each target. */
const of = async (
  lens: L.Lens<L.None, Rows<number>, X.Expr<readonly ['batch']>>,
  ...x: ReadonlyArray<number>
): Promise<ReadonlyArray<{ readonly value: number; readonly back: ReadonlyArray<number> }>> => {
  const program = get(
    Program.make({ x: ['batch', x.length] }, (inputs) => {
      const [value, back] = lens.run({}, inputs.x)
      return { value, back: back(X.fill(['batch'], 1))[1] }
    })
  )
  return Promise.all(
    targets.map(async (target) => {
      const executable = get(target.compile(program, { batch: 1 }))
      const out = get(await executable.run({ x: matrix(1, ...x) })())
      await executable.dispose()
      return { value: out['value']?.data[0] ?? Number.NaN, back: Array.from(out['back']?.data ?? [], (v) => v + 0) }
    })
  )
}

describe('the logarithm of a sum of exponentials', () => {
  const inf = Infinity
  it.each<readonly [string, ReadonlyArray<number>, number, ReadonlyArray<number>]>([
    ['of nothing', [-inf, -inf, -inf], -inf, [0, 0, 0]],
    ['of one that is infinite', [1, inf, -inf], inf, [0, 1, 0]],
    ['of one that is something', [-inf, 5, -inf], 5, [0, 1, 0]],
    ['of the largest numbers there are', [-3.4e38, 3.4e38], Math.fround(3.4e38), [0, 1]]
  ])('%s', async (_, x, value, back) => {
    for (const got of await of(logSumExp(x.length), ...x)) {
      expect({ ...got, value: Math.fround(got.value) }).toEqual({ value, back })
    }
  })
})

describe('the log-probability of being among the allowed', () => {
  const among = (mask: ReadonlyArray<number>): L.Lens<L.None, Rows<number>, X.Expr<readonly ['batch']>> =>
    logProbabilityAmong(X.broadcastTo(X.constant(row(...mask), [mask.length]), ['batch', mask.length]), mask.length)

  it.each<readonly [string, ReadonlyArray<number>, ReadonlyArray<number>, number]>([
    ['far below 0, the likeliest allowed', [-2e4, -3e4, -4e4], [1, 0, 0], 0],
    ['far below 0, the second allowed', [-2e4, -3e4, -4e4], [0, 1, 0], -1e4],
    ['of an impossible value', [1, -Infinity], [0, 1], -Infinity],
    ['beside an impossible value', [1, -Infinity], [1, 0], 0]
  ])('%s', async (_, x, mask, value) => {
    for (const got of await of(among(mask), ...x)) expect(got.value).toBe(value)
  })
})
