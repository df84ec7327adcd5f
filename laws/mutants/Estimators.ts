/**
 * The wrong estimators, each with what it gets wrong.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Advantage } from '../../src/estimator/Advantage.js'
import type { Cell } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import type { Values } from '../../src/tensor/Program.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Interpreter } from '../../src/estimator/Gradient.js'
import { advantage, asPrinted, cells, programs, type Context, type Tampered } from './Tamper.js'

/**
 * A wrong estimator. `on` is the kind of cell it gets wrong, hence which subjects can refute it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Mutant {
  readonly name: string
  readonly wrong: string
  readonly on: 'first' | 'half' | 'zeroth' | 'onePoint' | 'baseline' | 'dimensions'
  readonly interpreter: Interpreter
}

const mutant = (on: Mutant['on'], name: string, wrong: string, interpreter: Interpreter): Mutant => ({
  name,
  wrong,
  on,
  interpreter
})

const scaled = (values: Values, factor: number): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, T.map((x) => factor * x)(value)]))

const after =
  (factor: (context: Context, values: Values) => number): Tampered =>
  (context, values, run) =>
    pipe(
      run(values),
      TE.map((out) => scaled(out, factor(context, values)))
    )

/** The lowest step of the half-order cell that a program's inputs stand for. */
const lowest = (values: Values): number => (values['high']?.data[0] ?? 0) - (values['eps']?.shape[0] ?? 1) + 1

const sigmaAt = ({ sigma }: Context, values: Values): number => sigma[lowest(values)] ?? 1

const before =
  (change: (context: Context, values: Values) => Values): Tampered =>
  (context, values, run) =>
    run({ ...values, ...change(context, values) })

const width = (values: Values): number => (values['x']?.data.length ?? 1) / (values['x']?.shape[0] ?? 1)

const radius = ({ request }: Context): number => C.zerothOrderCell(request.cover)?.radius ?? 1

const shift = (values: Values, prefix: string, amount: number): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      name.startsWith(prefix) ? T.map((x) => x + amount)(value) : value
    ])
  )

const mean = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length

const batchMean: Advantage = {
  name: 'batch mean',
  batchDependent: true,
  initial: 0,
  apply: (rewards, state) => ({ advantages: rewards.map((r) => r - mean(rewards)), state })
}

const normalised: Advantage = {
  ...batchMean,
  name: 'batch normalised',
  apply: (rewards, state) => {
    const centre = mean(rewards)
    const deviation = Math.sqrt(mean(rewards.map((r) => (r - centre) ** 2))) + 1e-8
    return { advantages: rewards.map((r) => (r - centre) / deviation), state }
  }
}

const shorten = (cell: Cell): Cell =>
  cell._tag === 'HalfOrder' && cell.to > cell.from ? { ...cell, to: cell.to - 1 } : cell

/**
 * All of them.
 *
 * @category mutants
 * @since 0.1.0
 */
export const mutants: ReadonlyArray<Mutant> = [
  mutant('half', 'score sign', 'the half-order term with its sign flipped', programs({ halfOrder: after(() => -1) })),
  mutant(
    'half',
    'score without 1 / sigma',
    'the half-order term not divided by sigma',
    programs({ halfOrder: after(sigmaAt) })
  ),
  mutant(
    'half',
    'score over sigma^2',
    'the half-order term divided by the variance',
    programs({ halfOrder: after((c, v) => 1 / sigmaAt(c, v)) })
  ),
  mutant(
    'dimensions',
    'mean density',
    "a density that is the mean over elements, not their sum: the score over the state's size",
    programs({ halfOrder: after((_, v) => 1 / width(v)) })
  ),
  mutant(
    'half',
    'segment one short',
    'half-order segments of h - 1 steps in place of h',
    cells(({ cells: all }) => all.map(shorten))
  ),
  mutant(
    'half',
    'noise of the wrong step',
    'the score of the step above the one it belongs to',
    programs({
      halfOrder: before(({ request }, values) => {
        const noise = values['eps'] ?? request.eps
        const other = T.at(Math.min(lowest(values), (request.eps.shape[0] ?? 1) - 1))(request.eps)
        return { eps: T.map((x, i) => (i < other.data.length ? (other.data[i] ?? 0) : x))(noise) }
      })
    })
  ),
  mutant(
    'half',
    'stale trajectory',
    'states from before the last update of the parameters, with the rewards from after it',
    programs({
      rollout: (_, values, run) =>
        pipe(
          TE.Do,
          TE.bind('fresh', () => run(values)),
          TE.bind('stale', () => run(shift(values, 'params.', -0.25))),
          TE.map(({ fresh, stale }) => ({ ...fresh, trajectory: stale['trajectory'] ?? T.scalar(0) }))
        )
    })
  ),
  mutant(
    'half',
    'baseline sees its noise',
    'a baseline that depends on the noise that it is paired with',
    programs({
      halfOrder: before(({ request }, values) => ({
        advantage: T.map((a, n) => a - (request.weights[n] ?? 0) * (values['eps']?.data[n * width(values)] ?? 0))(
          values['advantage'] ?? T.scalar(0)
        )
      }))
    })
  ),
  mutant(
    'first',
    'step 1 paid twice',
    'a second first-order cell on step 1',
    cells(({ cells: all }) => [...all, C.firstOrder(1)])
  ),
  mutant(
    'first',
    'a step unpaid',
    'the last cell left out of a cover that is claimed exact',
    cells(({ cells: all }) => all.slice(0, -1))
  ),
  mutant(
    'zeroth',
    'equation (6) as printed',
    'the zeroth-order set keeps step 1 and drops step j + h',
    cells(asPrinted)
  ),
  mutant(
    'first',
    'clamped reward',
    'a reward whose gradient stops in silence where it is below 0',
    programs({
      reward: (_, values, run) =>
        pipe(
          run(values),
          TE.map((out) => ({
            ...out,
            x0Bar: T.map((x, i) => ((out['reward']?.data[i] ?? 0) < 0 ? 0 : x))(out['x0Bar'] ?? T.scalar(0))
          }))
        )
    })
  ),
  mutant(
    'zeroth',
    'no 1 / s',
    'the zeroth-order term not divided by the radius',
    programs({ zerothOrder: after((c) => radius(c)) })
  ),
  mutant(
    'zeroth',
    'no 1 / 2',
    'a central difference over s in place of 2 s',
    programs({ zerothOrder: after(() => 2) })
  ),
  mutant(
    'zeroth',
    'direction not shared',
    'credit along another direction than the rollout was perturbed in',
    programs({
      zerothOrder: before(({ request }) =>
        Object.fromEntries(
          Object.entries(request.xi).map(([path, { shape }]) => [
            `xi.${path}`,
            Draw.normal(Key.foldInString(Key.make(0), path), shape)
          ])
        )
      )
    })
  ),
  mutant(
    'zeroth',
    'all steps perturbed',
    'rollouts perturbed at every step, not only at those of the cell',
    programs({ side: before((_, values) => ({ mask: T.map(() => 1)(values['mask'] ?? T.scalar(1)) })) })
  ),
  mutant(
    'zeroth',
    'noise not shared',
    'the two sides of a difference with different noise: still unbiased, but not what is documented',
    programs({
      side: before((_, values) =>
        (values['radius']?.data[0] ?? 0) < 0 ? { eps: T.map((x) => -x)(values['eps'] ?? T.scalar(0)) } : {}
      )
    })
  ),
  mutant(
    'onePoint',
    'clean rewards',
    'one-point estimates from the rewards of an unperturbed rollout',
    programs({ rollout: before((_, values) => (values['radius'] === undefined ? {} : { radius: T.scalar(0) })) })
  ),
  mutant(
    'baseline',
    'own reward in the baseline',
    "a baseline that is the batch's mean, the sample's own reward included",
    advantage(batchMean)
  ),
  mutant('baseline', 'normalised rewards', "advantages over the batch's standard deviation", advantage(normalised))
]
