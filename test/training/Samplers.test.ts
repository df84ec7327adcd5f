import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, it } from 'vitest'
import * as Algebra from '../../src/estimator/Algebra.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { ofEstimator, type Sampler } from '../../src/estimator/Sampler.js'
import { sgd } from '../../src/optimizer/Optimizer.js'
import * as Density from '../../src/random/Density.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import * as Finetune from '../../src/training/Finetune.js'
import * as Requests from '../../src/training/Requests.js'
import { conditions, params, right, T, tiny } from './tiny.js'

const key = Key.make(5)
const rlr = right(Catalogue.rlr({ T, h: 2, radius: 0.05 }))
const full = right(Catalogue.fullBackprop(T))

const options = { optimizer: sgd(1), conditions, target: reference }

/** The parameters after one step of gradient ascent at the rate 1. */
const moved = async (
  problem: ReturnType<typeof tiny>,
  more: Partial<Finetune.Options> = {}
): Promise<Readonly<Record<string, Tensor>>> => {
  const run = right(Finetune.compile(problem, { ...options, ...more }))
  return right(await run.step(key, run.start(params))()).state.params
}

/** The key that a run draws its first step from. */
const first = Key.foldIn(Key.foldInString(key, 'step'), 0)

describe('a fine-tune by a sampler of covers', () => {
  it('that is an estimator is by that estimator', async () => {
    expect(await moved(tiny(full), { sampler: ofEstimator(rlr) })).toEqual(await moved(tiny(rlr)))
  })

  it('that is a term of the algebra takes the sum of its evaluations, each on its own stream', async () => {
    const term = Algebra.average(2)(Algebra.of(rlr))
    const after = await moved(tiny(full), { sampler: right(Algebra.sampler(term)) })
    const problem = tiny(rlr)
    const gradients = right(Gradient.compile(problem, reference))
    const asked = Requests.onStreams({ problem, conditions, params }, first)
    const drawn = Algebra.evaluations(term, Requests.uniforms(first))
    expect(drawn.map(({ stream }) => stream)).toEqual(['noise.0', 'noise.1'])
    const [one, other] = await Promise.all(
      drawn.map(async ({ stream, cover }) => right(await gradients.run(asked(stream, cover))()).gradient)
    )
    for (const [path, value] of Object.entries(one ?? {})) {
      const before = params[path]?.data ?? []
      value.data.forEach((g, i) => {
        const mean = (g + (other?.[path]?.data[i] ?? 0)) / 2
        // parameters are kept in f32
        expect(Math.abs((after[path]?.data[i] ?? 0) - ((before[i] ?? 0) + mean))).toBeLessThan(
          1e-6 * (1 + Math.abs(mean))
        )
      })
      expect(value.data).not.toEqual(other?.[path]?.data)
    }
  })

  it('of streams that share their noise draws it once, and antithetic pairs negate it', async () => {
    const pair = Algebra.antithetic(Algebra.of(full))
    const asked: Array<Gradient.Request> = []
    const watching: Gradient.Interpreter = (problem) =>
      E.Functor.map(Gradient.compile(problem, reference), (gradients) => ({
        ...gradients,
        run: (request) => {
          asked.push(request)
          return gradients.run(request)
        }
      }))
    await moved(tiny(full), { sampler: right(Algebra.sampler(pair)), interpreter: watching })
    const [plus, minus] = asked
    expect(asked).toHaveLength(2)
    expect(minus?.xT.data).toEqual(plus?.xT.data.map((v) => -v))
    expect(minus?.condition).toEqual(plus?.condition)
  })

  it('of a user may take any cover of its support, and a cover outside of it is named', async () => {
    const covers = [2, 3, 4].map((k) => right(C.exact(T, [C.firstOrder(k), C.halfOrder(k + 1, T)])))
    const [some, ...rest] = covers
    const support = right(
      Est.mixture(
        'mine',
        [some, ...rest].flatMap((cover) => (cover ? [{ weight: 1, cover }] : []))
      )
    )
    const mine = (cover: C.Cover): Sampler => ({
      support,
      negates: false,
      draw: () => [{ coefficient: 1, cover, stream: 'mine', sign: 1 }]
    })
    const run = right(Finetune.compile(tiny(full), { ...options, sampler: mine(covers[1] ?? full.covers[0].cover) }))
    expect(right(await run.step(key, run.start(params))()).covers.map(C.show)).toEqual(['FO(1..3) + HO(4..6)'])
    const outside = right(C.exact(T, [C.firstOrder(1), C.halfOrder(2, T)]))
    const wrong = right(Finetune.compile(tiny(full), { ...options, sampler: mine(outside) }))
    const said = await wrong.step(key, wrong.start(params))()
    expect(E.isLeft(said) && Finetune.showError(said.left)).toMatch(/^step 1: .* was not compiled; draw covers from/)
  })

  it('that negates noise that is not symmetric is refused before the first step', () => {
    const problem = tiny(full)
    const gumbel = Density.byQuantile('gumbel', (p) => -Math.log(-Math.log(p)))
    const skewed = { ...problem, chain: { ...problem.chain, noise: { ...problem.chain.noise, density: gumbel } } }
    const sampler = right(Algebra.sampler(Algebra.antithetic(Algebra.of(full))))
    const refused = Finetune.compile(skewed, { ...options, sampler })
    expect(E.isLeft(refused) && Gradient.showError(refused.left)).toContain("the noise 'gumbel' is not symmetric")
  })
})

describe('a fine-tune in groups', () => {
  it('asks the samples of a group for the same, says which they are, and draws their noise apart', () => {
    const problem = { ...tiny(rlr), batch: 6 }
    const [plain, grouped] = [1, 3].map((group) =>
      Requests.onStreams({ problem, conditions, params, group }, first)('noise', rlr.covers[0].cover)
    )
    const rows = (c: Tensor | undefined): ReadonlyArray<string> =>
      Array.from({ length: 6 }, (_, row) => c?.data.slice(34 * row, 34 * (row + 1)).join() ?? '')
    const [alone, together] = [rows(plain?.condition['c']), rows(grouped?.condition['c'])]
    expect(new Set(alone).size).toBe(6)
    expect(together.slice(0, 3)).toEqual([together[0], together[0], together[0]])
    expect(together.slice(3)).toEqual([together[3], together[3], together[3]])
    expect(new Set(together).size).toBe(2)
    expect(grouped?.condition['c']?.shape).toEqual([6, 34])
    expect([plain?.groups, grouped?.groups]).toEqual([undefined, [0, 0, 0, 1, 1, 1]])
    expect([grouped?.xT, grouped?.eps]).toEqual([plain?.xT, plain?.eps])
  })

  it('has advantages within them', async () => {
    const problem = { ...tiny(full), advantage: Advantage.perPrompt, estimator: right(Catalogue.reinforce(T)) }
    const asked: Array<Gradient.Request> = []
    const noisy = {
      ...problem,
      chain: { ...problem.chain, sigma: problem.chain.sigma.map((s, t) => (t === 1 ? 0.5 : s)) }
    }
    const watching: Gradient.Interpreter = (posed) =>
      E.Functor.map(Gradient.compile(posed, reference), (gradients) => ({
        ...gradients,
        run: (request) => {
          asked.push(request)
          return gradients.run(request)
        }
      }))
    const run = right(Finetune.compile({ ...noisy, batch: 4 }, { ...options, interpreter: watching, group: 2 }))
    right(await run.step(key, run.start(params))())
    expect(asked.map(({ groups }) => groups)).toEqual([[0, 0, 1, 1]])
  })
})

describe('a fine-tune by an interpreter of the user', () => {
  it('runs its requests there, and nothing is compiled for gradients', async () => {
    const plain = right(Gradient.compile(tiny(rlr), reference))
    const elsewhere: Gradient.Interpreter = () =>
      E.right({
        ...plain,
        executables: {},
        run: (request) => TE.Functor.map(plain.run(request), (estimate) => ({ ...estimate }))
      })
    const run = right(Finetune.compile(tiny(rlr), { ...options, interpreter: elsewhere }))
    expect(Object.keys(run.executables)).toEqual(['update'])
    expect(right(await run.step(key, run.start(params))()).state.params).toEqual(await moved(tiny(rlr)))
  })
})
