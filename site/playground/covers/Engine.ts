/**
 * What the worker of the page of covers computes: exact gradients, and samples of estimators beside each other on the same noise.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as C from 'halforder/estimator/Cover'
import type { Estimator } from 'halforder/estimator/Estimator'
import { showError } from 'halforder/estimator/Gradient'
import { cost } from 'halforder/estimator/reading/Cost'
import { byStep } from 'halforder/estimator/reading/Variance'
import { described } from 'halforder/laws/verify/Catalogue'
import type { Contender, Model, Noise, Sampler } from 'halforder/laws/verify/Model'
import { claimOf } from 'halforder/laws/verify/Claim'
import * as Key from 'halforder/random/Key'
import type { Target } from 'halforder/tensor/Target'
import * as Design from './Design.js'
import { nextStratum, tally, type Moments, type Tally } from './Tally.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** What is known of an estimator before any sample: the exact gradient of its target, and its expectation. */
export interface Known {
  readonly gradient: ReadonlyArray<number>
  readonly expectation: ReadonlyArray<number>
}

/** The variance of what a cell pays of some steps. */
export interface PartVariance {
  readonly kind: C.Cell['_tag']
  readonly steps: ReadonlyArray<number>
  readonly variance: number
}

/** One estimator as far as it is known. `fault`: why it can not be sampled. */
export interface Result {
  readonly text: string
  readonly known: Known | undefined
  readonly moments: Moments | undefined
  readonly parts: ReadonlyArray<PartVariance>
  readonly evaluations: number
  readonly seconds: number
  readonly fault: string | undefined
}

/** Estimators being sampled: `step` takes one batch of each, and `read` says how far they are. */
export interface Engine {
  readonly gradient: ReadonlyArray<number>
  readonly step: () => Promise<void>
  readonly read: () => ReadonlyArray<Result>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Samples of a batch. */
export const rows = 2048

/** Of how many batches one is split by step, which costs more. */
const splitEvery = 4

/** The chain of a design, as a model with exact gradients. */
export const modelOf = ({ T, sigma, beta }: Design.Design): Model =>
  described('tanh', {
    kind: 'tanh',
    T,
    sigma,
    alpha: Design.alpha,
    theta: Design.theta,
    m: Design.peak,
    ...(beta > 0 ? { kl: { beta, reference: Design.reference } } : {})
  })

interface Line {
  readonly result: () => Result
  readonly sample: (noise: Noise) => Promise<void>
  readonly dispose: () => Promise<void>
}

const lineOf = (model: Model, design: Design.Design, target: Target, text: string, split: boolean): Line => {
  const built = Design.build(design)(text)
  const idle = (fault: string): Line => ({
    result: () => ({ text, known: undefined, moments: undefined, parts: [], evaluations: 0, seconds: 0, fault }),
    sample: async () => undefined,
    dispose: async () => undefined
  })
  if (E.isLeft(built)) return idle(built.left)
  const estimator = built.right
  const baseline = design.baseline === 'expected' ? model.baseline : 0
  const contender = (one: Estimator): Contender => ({ name: text, estimator: one, baseline })
  const claim = claimOf(model, contender(estimator))
  if (E.isLeft(claim)) return idle(claim.left)
  const compiled = model.sampler(contender(estimator), target, rows)
  if (E.isLeft(compiled)) return idle(showError(compiled.left))
  const apart = split
    ? pipe(
        byStep(estimator),
        E.map((one) => [one, model.sampler(contender(one), target, rows)] as const)
      )
    : E.left(undefined)
  return sampling(
    model,
    text,
    estimator,
    { gradient: claim.right.exact.value, expectation: claim.right.claimed.value },
    compiled.right,
    E.isRight(apart) && E.isRight(apart.right[1]) ? [apart.right[0], apart.right[1].right] : undefined
  )
}

const sampling = (
  model: Model,
  text: string,
  estimator: Estimator,
  known: Known,
  sampler: Sampler,
  apart: readonly [Estimator, Sampler] | undefined
): Line => {
  const weights = estimator.covers.map(({ weight }) => weight)
  const counts = weights.map(() => 0)
  const whole = tally(weights, model.components)
  const parts = new Map<
    string,
    { readonly kind: C.Cell['_tag']; readonly steps: ReadonlyArray<number>; readonly sum: Tally }
  >()
  let [seconds, fault]: [number, string | undefined] = [0, undefined]
  const note = async (cover: C.Cover, noise: Noise): Promise<void> => {
    const found = apart === undefined ? undefined : await apart[1].parts(cover, noise)()
    if (found === undefined || E.isLeft(found)) return
    for (const { cell, rows: part } of found.right) {
      // a cell split by step pays for one step of its own
      const steps = C.steps(cell).filter((t) => C.share(cell, t) > 0)
      const key = `${cell._tag} ${steps.join()}`
      const known_ = parts.get(key) ?? { kind: cell._tag, steps, sum: tally([1], model.components) }
      parts.set(key, known_)
      known_.sum.add(0, part)
    }
  }
  return {
    result: () => ({
      text,
      known,
      moments: whole.read(),
      parts: [...parts.values()].flatMap(({ kind, steps, sum }) => {
        const read = sum.read()
        return read === undefined ? [] : [{ kind, steps, variance: read.variance }]
      }),
      evaluations: cost(estimator, model.networkCalls, model.stepCalls).networkEvaluations,
      seconds,
      fault
    }),
    sample: async (noise) => {
      if (fault !== undefined) return
      const at = nextStratum(weights, counts)
      counts[at] = (counts[at] ?? 0) + 1
      const cover = estimator.covers[at]?.cover
      if (cover === undefined) return
      const start = performance.now()
      const found = await sampler.rows(cover, noise)()
      if (E.isLeft(found)) fault = showError(found.left)
      else whole.add(at, found.right)
      seconds += (performance.now() - start) / 1000
      const split = apart?.[0].covers[at]?.cover
      if ((counts[at] ?? 0) % splitEvery === 1 && split !== undefined) await note(split, noise)
    },
    dispose: async () => {
      await sampler.dispose()
      await apart?.[1].dispose()
    }
  }
}

/** Estimators of a design on a target, none sampled yet. Left: the exact gradient is not known. */
export const engine = (design: Design.Design, target: Target): E.Either<string, Engine> => {
  const model = modelOf(design)
  return pipe(
    model.terms(),
    E.map((terms) => {
      const gradient = terms.reduce<ReadonlyArray<number>>(
        (sum, term) => sum.map((v, i) => v + (term.value[i] ?? 0)),
        new Array<number>(model.components).fill(0)
      )
      const noise = model.noise(Key.make(design.seed), rows)
      const texts = [...new Set([design.estimator, ...design.others])]
      const lines: Array<Line> = []
      let batch = 0
      return {
        gradient,
        step: async () => {
          // compiling takes longer than a batch: what is compiled is told of before the next one is
          const text = texts[lines.length]
          if (text !== undefined) lines.push(lineOf(model, design, target, text, lines.length === 0))
          const drawn = noise(batch)
          for (const line of text === undefined ? lines : lines.slice(-1)) await line.sample(drawn)
          batch++
        },
        read: () => lines.map((line) => line.result()),
        dispose: async () => {
          for (const line of lines) await line.dispose()
        }
      }
    })
  )
}
