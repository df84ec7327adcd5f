import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, it } from 'vitest'
import type { Chain } from '../../src/chain/Chain.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import * as Noise from '../../src/chain/Noise.js'
import { cosine } from '../../src/chain/Schedule.js'
import { rollout } from '../../src/estimator/program/Programs.js'
import * as L from '../../src/lens/Lens.js'
import type { Rows } from '../../src/lens/Rows.js'
import { gpuJs } from '../../src/kernel/index.js'
import { mlp } from '../../src/network/Mlp.js'
import * as Density from '../../src/random/Density.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import { under, type Values } from '../../src/tensor/Program.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Sampling from '../../src/training/Sampling.js'
import { conditions, params, right } from './tiny.js'

// -------------------------------------------------------------------------------------
// a chain that can be run by hand
// -------------------------------------------------------------------------------------

const steps = 5
const width = 3
const sigma = [0, 0.5, 0, 0.25, 1, 2]
const gain = 0.75

type Told = { readonly shift: Rows<3>; readonly scale: Rows<1> }
type Steered = Chain<{ readonly gain: X.Expr<readonly []> }, readonly ['batch', 3], Told>
type Options = Sampling.Options<{ readonly gain: X.Expr<readonly []> }, readonly ['batch', 3], Told>

/** `x_{t-1} = gain x_t + scale shift / t + sigma_t eps_t`: it reads every step's number, condition and noise. */
const steered = (noise: Noise.Noise): Steered => ({
  name: 'steered',
  T: steps,
  state: ['batch', 3],
  condition: { shift: ['batch', 3], scale: ['batch', 1] },
  parameters: { gain: L.parameter([]) },
  sigma,
  noise,
  networkCalls: 1,
  mean: (t) =>
    L.make({ gain: L.parameter([]) }, (p, { x, c }) => [
      X.add(X.mul(x, p.gain), X.div(X.mul(c.shift, X.broadcastTo(c.scale, ['batch', 3])), t)),
      // samples are not pulled back
      () => [p, { x, c }]
    ])
})

const rows = 7
const key = Key.make(12)

/** What step `t` is told: other numbers at each step and in each row. */
const toldAt = (t: number): Values => ({
  'c.shift': T.toFloat32(T.tabulate([rows, width], (i) => Math.sin(i + 10 * t))),
  'c.scale': T.toFloat32(T.tabulate([rows, 1], (i) => 1 + i / 4 + t))
})

const told = [0, 1, 2, 3, 4, 5].map(toldAt)

const options = (noise: Noise.Noise = Noise.normal): Options => ({
  chain: steered(noise),
  parameters: { gain: T.scalar(gain) },
  condition: (t) => told[t] ?? {},
  count: rows,
  key,
  trajectory: true
})

const states = async (given: Options, target: Target = reference): Promise<ReadonlyArray<ReadonlyArray<number>>> =>
  right(await Sampling.sample(given, target)()).trajectory.map(({ data }) => Array.from(data))

/** The same states by the recurrence, in f64. */
const byHand = (density: Noise.Noise['density']): ReadonlyArray<ReadonlyArray<number>> => {
  const draw = (name: string): ReadonlyArray<number> =>
    Array.from(Density.draw32(density, Key.foldInString(key, name), [rows, width]).data)
  const found = [draw('xT')]
  for (let t = steps; t >= 1; t--) {
    const eps = draw(`eps ${t}`)
    found.push(
      (found.at(-1) ?? []).map(
        (x, i) =>
          gain * x +
          (Math.fround(Math.sin(i + 10 * t)) * (1 + Math.floor(i / width) / 4 + t)) / t +
          (sigma[t] ?? NaN) * (eps[i] ?? NaN)
      )
    )
  }
  return found
}

/** The largest difference of states, in units of f32's rounding of the number or of 1. */
const apart = (a: ReadonlyArray<ReadonlyArray<number>>, b: ReadonlyArray<ReadonlyArray<number>>): number =>
  Math.max(
    ...a.flatMap((state, t) =>
      state.map((x, i) => Math.abs(x - (b[t]?.[i] ?? NaN)) / Math.max(1, Math.abs(x)) / 2 ** -24)
    )
  )

// in f64 a state is rounded to f32 once: half a unit of it, and the roundings of f64 are far below
const rounded = 1 + 2 ** -20

describe('sampling step by step', () => {
  it.each<readonly [string, Noise.Noise]>([
    ['normal', Noise.normal],
    ['logistic', Noise.logistic],
    ["Student's t", Noise.studentT(5)]
  ])(
    'runs the recurrence on %s noise: the start, every step told its own, the noise of its own scale',
    async (_, noise) => {
      const found = await states(options(noise))
      expect(found).toHaveLength(steps + 1)
      expect(apart(found, byHand(noise.density))).toBeLessThanOrEqual(rounded)
    }
  )

  it.each<readonly [string, (of: Options) => Options]>([
    ['tells each step what the one after it is told', (of) => ({ ...of, condition: (t) => told[t - 1] ?? {} })],
    ['tells every step the same', (of) => ({ ...of, condition: () => told[1] ?? {} })],
    ['scales the noise as the step after does', (of) => ({ ...of, chain: { ...of.chain, sigma: sigma.slice(1) } })],
    ['draws normals whatever the noise', (of) => ({ ...of, chain: { ...of.chain, noise: Noise.normal } })],
    ['draws from another key', (of) => ({ ...of, key: Key.foldInString(key, 'batch') })],
    [
      'does not tell a step its number',
      (of) => ({ ...of, chain: { ...of.chain, mean: () => of.chain.mean(X.scalar(1)) } })
    ],
    ['leaves out the last step', (of) => ({ ...of, chain: { ...of.chain, T: steps - 1 } })]
  ])('mutant: one that %s is told apart', async (_, mutate) => {
    const found = await states(mutate(options(Noise.logistic)))
    const gap = found.length === steps + 1 ? apart(found, byHand('logistic')) : Infinity
    expect(gap).toBeGreaterThan(1000 * rounded)
  })

  it('is the rollout program of a denoising chain, with the same noise', async () => {
    const T6 = 6
    const denoiser = mlp({ features: 12, labels: 34, hidden: 8, blocks: 1, embedding: 4, share: 'cosine' })
    const chain = ddim({ denoiser, schedule: cosine(T6), eta: 1 })
    // an output layer starts at zero: move it, or the network would have no say
    const moved = { ...params, 'out.weight': T.tabulate([8, 12], (i) => 0.3 * Math.sin(i)) }
    const c = conditions(Key.make(4), 3)
    const { trajectory, x0 } = right(
      await Sampling.sample(
        { chain, parameters: moved, condition: () => c, count: 3, key, trajectory: true },
        reference
      )()
    )
    const program = rollout(chain, { perturbation: 'none', keep: true, trained: () => true })
    const executable = right(reference.compile(right(program), { batch: 3 }))
    const noise = (name: string): ArrayLike<number> =>
      Density.draw32('normal', Key.foldInString(key, name), [3, 12]).data
    const whole = right(
      await executable.run({
        ...under('params', moved),
        ...c,
        xT: { shape: [3, 12], data: Float32Array.from(noise('xT')) },
        eps: {
          shape: [T6, 3, 12],
          data: Float32Array.from([1, 2, 3, 4, 5, 6].flatMap((t) => Array.from(noise(`eps ${t}`))))
        }
      })()
    )
    // the program's first state is x_0
    const expected = Array.from({ length: T6 + 1 }, (_, i) =>
      Array.from(T.at(T6 - i)(whole['trajectory'] ?? T.scalar(NaN)).data)
    )
    const found = trajectory.map(({ data }) => Array.from(data))
    expect(apart(found, expected)).toBeLessThanOrEqual(rounded)
    expect(Array.from(x0.data)).toEqual(found.at(-1))
    expect(apart(found, expected.toReversed())).toBeGreaterThan(1000)
  })
})

describe('a row', () => {
  const counts = fc.tuple(fc.integer({ min: 1, max: rows }), fc.integer({ min: 1, max: 10 }))

  it.each<readonly [string, Noise.Noise]>([
    ['normal', Noise.normal],
    ["Student's t", Noise.studentT(5)]
  ])('does not depend on how many there are, nor on how many run at once, under %s noise', async (_, noise) => {
    const whole = await states(options(noise))
    await fc.assert(
      fc.asyncProperty(counts, async ([count, batch]) => {
        const found = await states({ ...options(noise), count, batch })
        expect(found).toEqual(whole.map((state) => state.slice(0, count * width)))
      }),
      { numRuns: 30 }
    )
  })

  it('does not on kernels either', async () => {
    const target = gpuJs({ mode: 'webasm' })
    const whole = await states(options(), target)
    for (const [count, batch] of [
      [7, 2],
      [5, 3],
      [1, 64]
    ] as const) {
      const found = await states({ ...options(), count, batch }, target)
      expect(found).toEqual(whole.map((state) => state.slice(0, count * width)))
    }
    await target.dispose()
  })
})

describe('what is kept', () => {
  it('is the last state alone, unless all are asked for', async () => {
    const { x0, trajectory } = right(await Sampling.sample({ ...options(), trajectory: false }, reference)())
    expect(trajectory).toEqual([])
    expect(x0.shape).toEqual([rows, width])
    expect(x0.data).toBeInstanceOf(Float32Array)
    expect(Array.from(x0.data)).toEqual((await states(options())).at(-1))
  })

  it('of no samples is no row', async () => {
    const { x0 } = right(await Sampling.sample({ ...options(), count: 0 }, reference)())
    expect(x0.shape).toEqual([0, width])
    expect(x0.data).toHaveLength(0)
  })
})

describe('a run', () => {
  /** The reference, and how many of its executables were compiled and disposed of. */
  const counting = (): { readonly target: Target; readonly held: () => readonly [number, number] } => {
    let compiled = 0
    let disposed = 0
    return {
      held: () => [compiled, disposed],
      target: {
        ...reference,
        compile: (program, sizes) => {
          const made = reference.compile(program, sizes)
          if (E.isLeft(made)) return made
          compiled += 1
          return E.right({
            ...made.right,
            dispose: async () => {
              disposed += 1
              await made.right.dispose()
            }
          })
        }
      }
    }
  }

  it('says how many steps are done, over all batches, and compiles one program for all', async () => {
    const { target, held } = counting()
    const done: Array<number> = []
    const watch = { done: (n: number) => done.push(n), stopped: () => false }
    right(await Sampling.sample({ ...options(), batch: 3, watch }, target)())
    expect(done).toEqual(Array.from({ length: 3 * steps }, (_, i) => i + 1))
    expect(held()).toEqual([1, 1])
  })

  it.each([1, 4, steps, steps + 2])('stops after step %i when it is asked to, and frees its program', async (after) => {
    const { target, held } = counting()
    let done = 0
    const watch = {
      done: (n: number) => {
        done = n
      },
      stopped: () => done >= after
    }
    const result = await Sampling.sample({ ...options(), batch: 3, watch }, target)()
    expect(result).toEqual(E.left({ _tag: 'Stopped' }))
    expect([done, ...held()]).toEqual([after, 1, 1])
    expect(Sampling.showError({ _tag: 'Stopped' })).toBe('stopped before the end')
  })

  it('gives others a turn between its steps', async () => {
    let stop = false
    setTimeout(() => {
      stop = true
    })
    const watch = { done: () => undefined, stopped: () => stop }
    expect(E.isLeft(await Sampling.sample({ ...options(), watch }, reference)())).toBe(true)
  })

  it('that fails is a left that names the program, and frees it', async () => {
    const { target, held } = counting()
    const failing: Target = {
      ...target,
      compile: (program, sizes) => {
        const made = target.compile(program, sizes)
        if (E.isLeft(made)) return made
        return E.right({
          ...made.right,
          run: () => TE.left({ _tag: 'Failed' as const, target: 'reference', reason: 'it is broken' })
        })
      }
    }
    const result = await Sampling.sample(options(), failing)()
    expect(E.isLeft(result) ? Sampling.showError(result.left) : 'samples').toBe('step: reference: it is broken')
    expect(held()).toEqual([1, 1])
  })

  it('without a condition that the chain declares is a left that names it', async () => {
    const result = await Sampling.sample(
      { ...options(), condition: () => ({ 'c.shift': told[1]?.['c.shift'] ?? T.scalar(0) }) },
      reference
    )()
    expect(E.isLeft(result) ? Sampling.showError(result.left) : 'samples').toBe(
      "step: input 'c.scale': expected [7, 1], got no value; pass a tensor of that shape"
    )
  })
})
