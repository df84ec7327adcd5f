/**
 * Laws of baselines: they leave the expectation of an estimator alone.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type { Task } from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as A from '../../src/estimator/Advantage.js'
import type { Cover } from '../../src/estimator/Cover.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Batched } from '../../src/tensor/Shape.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { expectation, run, smoothingOf, type Subject, type Uncertain } from '../exact/Expectation.js'
import { sum } from '../exact/Rounding.js'
import { allBatched, byComponent, components, nodes, type Draws, type Setting } from '../Setting.js'
import type { Verdict } from '../Verdict.js'
import { at, compare, eachCover, settle, withOrders } from './Comparing.js'

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

/**
 * **Baselines leave the expectation alone.** With the subject's advantage in place of none the expectation is the same,
 * cover by cover. For advantages that look at one row at a time; see `batchBaseline` for the others.
 *
 * @category laws
 * @since 0.1.0
 */
export const baseline =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject): Task<Verdict> =>
    settle(
      'baselines leave the expectation alone',
      eachCover(subject, (cover) =>
        pipe(
          withOrders(setting, setting.order, (order) => expectation(setting, subject, cover, order)),
          TE.bindTo('got'),
          TE.bind('expected', () =>
            withOrders(setting, setting.order, (order) =>
              expectation(setting, { ...subject, advantage: A.none }, cover, order)
            )
          ),
          TE.map(({ got, expected }) =>
            compare(
              setting,
              `${at(subject, cover)} with ${(subject.advantage ?? A.none).name}`,
              expected,
              inflate(got, expected),
              'rounding'
            )
          )
        )
      )
    )

/** The rounding of a difference of two expectations is that of the larger rewards of the two. */
const inflate = (a: Uncertain, b: Uncertain): Uncertain => ({
  value: a.value,
  error: a.error.map((e, i) => e + (b.error[i] ?? 0))
})

/**
 * **Baselines of a batch leave the expectation alone.** The expectation over batches of two independent rows, as a
 * product of two quadratures. It needs parameters with a batch axis and few nodes: two rows of `n` nodes are `n^2`
 * runs.
 *
 * @category laws
 * @since 0.1.0
 */
export const batchBaseline =
  <P extends Params, S extends Batched, D extends Exprs, R extends Params>(setting: Setting<P, S, D, R>) =>
  (subject: Subject): Task<Verdict> => {
    const law = 'baselines of a batch leave the expectation alone'
    if (!allBatched(setting)) return settle(law, TE.left('a trained parameter has no batch axis'))
    return settle(
      law,
      eachCover(subject, (cover) =>
        pipe(
          expectation(setting, { ...subject, advantage: A.none }, cover),
          TE.bindTo('expected'),
          TE.bind('got', () => pairs(setting, subject, cover)),
          TE.map(({ got, expected }) =>
            compare(setting, at(subject, cover), expected, inflate(got, expected), 'rounding')
          )
        )
      )
    )
  }

const pairs = <P extends Params, S extends Batched, D extends Exprs, R extends Params>(
  setting: Setting<P, S, D, R>,
  subject: Subject,
  cover: Cover
): TE.TaskEither<string, Uncertain> => {
  const blocks = nodes(setting, setting.order, smoothingOf(cover))
  if (E.isLeft(blocks)) return TE.left(blocks.left)
  const [all] = blocks.right
  if (all === undefined) return TE.left('no nodes')
  const { T: length } = setting.chain
  const take = (data: ArrayLike<number>, lead: number, rows: readonly [number, number]): Float64Array => {
    const width = data.length / (lead * all.rows)
    return Float64Array.from({ length: lead * 2 * width }, (_, i) => {
      const block = Math.floor(i / (2 * width))
      const row = rows[Math.floor(i / width) % 2 === 0 ? 0 : 1]
      return data[(block * all.rows + row) * width + (i % width)] ?? Number.NaN
    })
  }
  const lead = smoothingOf(cover)?.perturbation === 'perStep' ? length : 1
  const pair = (i: number, j: number): Draws => ({
    rows: 2,
    xT: { shape: [2, ...all.xT.shape.slice(1)], data: take(all.xT.data, 1, [i, j]) },
    eps: { shape: [length, 2, ...all.eps.shape.slice(2)], data: take(all.eps.data, length, [i, j]) },
    xi: Object.fromEntries(
      Object.entries(all.xi).map(([path, { shape, data }]) => [
        path,
        { shape: lead === 1 ? [2, ...shape.slice(1)] : [length, 2, ...shape.slice(2)], data: take(data, lead, [i, j]) }
      ])
    ),
    weights: [0.5, 0.5].map((half) => half * (all.weights[i] ?? 0) * (all.weights[j] ?? 0))
  })
  return pipe(
    Array.from({ length: all.rows * all.rows }, (_, k) => pair(Math.floor(k / all.rows), k % all.rows)),
    RA.traverse(TE.ApplicativeSeq)((draws) => run(setting, subject, cover, draws)),
    TE.map((runs) => {
      const rows = runs.map(({ estimate }) => byComponent(setting, estimate.gradient))
      const operations = Math.max(...runs.map((one) => one.operations))
      const each = components(setting).map((_, i) => rows.flatMap((one) => one[i] ?? []))
      return { value: each.map(sum), error: each.map((parts) => 2 ** -53 * operations * sum(parts.map(Math.abs))) }
    })
  )
}
