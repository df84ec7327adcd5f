/**
 * What a process knows of a run that it works for: the problem, what runs its blocks, and how a state is reached from the one before.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import type * as RNEA from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Apart from 'halforder/estimator/apart/Apart'
import { type Hand, hand, isOfSamples, type Places, type Told } from 'halforder/estimator/apart/Hand'
import type { Numbers } from 'halforder/estimator/apart/Apart'
import type { Cover } from 'halforder/estimator/Cover'
import type { EstimatorError, Request } from 'halforder/estimator/Gradient'
import { signed } from 'halforder/estimator/Sampler'
import * as Key from 'halforder/random/Key'
import * as Finetune from 'halforder/training/Finetune'
import * as Inner from 'halforder/training/policy/Inner'
import * as Requests from 'halforder/training/Requests'
import type { Setup } from 'halforder/training/Setup'
import type { Shard } from './Wire.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A run that blocks are computed for. `next` makes of a state the one after it, from what all rows told in its step, evaluation by evaluation;
 * there is none where numbers do not make a step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shop {
  readonly request: (shard: Shard, state: Pick<Finetune.State, 'params'>) => E.Either<string, Asked>
  readonly hand: Hand
  readonly batch: number
  readonly next:
    | ((state: Finetune.State, told: ReadonlyArray<Numbers>) => TE.TaskEither<string, Finetune.State>)
    | undefined
  readonly initial: Finetune.State
  readonly dispose: () => Promise<void>
}

/**
 * A request, and which of its blocks are asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Asked {
  readonly request: Request
  readonly blocks: RNEA.ReadonlyNonEmptyArray<Apart.RowBlock>
}

/**
 * What a shop is made of: a fine-tune, its seed, and how many samples in a row are asked for the same.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trade {
  readonly setup: Setup
  readonly seed: number
  readonly group: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Are a step's numbers all that it takes to make it? They are where every cell is of zeroth order, and nothing else is learned.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOfNumbers = ({ inner, problem: { values }, sampler: { support } }: Setup): boolean =>
  support.covers.every(({ cover }) => !cover.cells.some(isOfSamples)) &&
  (values?.size ?? 0) === 0 &&
  Inner.isPlain(inner)

/**
 * The problem of a fine-tune whose estimator has every cover that may be drawn.
 *
 * @category constructors
 * @since 0.1.0
 */
export const posed = ({ problem, sampler }: Setup): Setup['problem'] => ({ ...problem, estimator: sampler.support })

/** A crew that repeats what was told, evaluation by evaluation. */
const repeating = (told: ReadonlyArray<Numbers>): Apart.Crew => {
  const left = [...told]
  return {
    walk: ({ xT, weights }, blocks) => {
      const numbers = left.shift()
      const nobody: EstimatorError = { _tag: 'NotCompiled', program: 'an evaluation that was not told' }
      if (numbers?.rewards.length !== weights.length) return TE.left(nobody)
      return TE.right(
        blocks.map((block): Told => ({ numbers: Apart.rowsOf(numbers, block), x0: xT, trajectory: undefined }))
      )
    },
    credit: () => TE.right([])
  }
}

/**
 * A shop of a fine-tune.
 *
 * @category constructors
 * @since 0.1.0
 */
export const shop = ({ setup, seed, group }: Trade, places: Places): E.Either<EstimatorError, Shop> =>
  pipe(
    E.Do,
    E.bind('divided', () => Apart.division(posed(setup))),
    E.bind('run', () => {
      const { problem, ...options } = setup
      let crew: Apart.Crew = repeating([])
      const interpreter = Apart.apart(places.whole, {
        walk: (request, blocks) => crew.walk(request, blocks),
        credit: (request, blocks, heard) => crew.credit(request, blocks, heard)
      })
      if (!isOfNumbers(setup)) return E.right(undefined)
      return pipe(
        Finetune.compile(problem, { ...options, target: places.whole, interpreter, group }),
        E.map((run) => ({
          run,
          next: (state: Finetune.State, told: ReadonlyArray<Numbers>) => {
            crew = repeating(told)
            return pipe(
              run.step(Key.make(seed), state),
              TE.bimap(Finetune.showError, (progress) => progress.state)
            )
          }
        }))
      )
    }),
    E.map(({ divided, run }): Shop => {
      const { conditions, initial } = setup
      const problem = posed(setup)
      const own = hand(problem, divided, places)
      const covers = problem.estimator.covers
      // blocks of one request come one after another: what was drawn for it is drawn once
      let last:
        | { readonly name: string; readonly params: Finetune.State['params']; readonly request: Request }
        | undefined
      const drawn = (shard: Shard, params: Finetune.State['params'], cover: Cover): Request => {
        const { key: words, sign, stream } = shard
        const name = JSON.stringify([shard.cover, words, sign, stream])
        if (last?.name !== name || last.params !== params) {
          const request = Requests.onStreams({ problem, conditions, params, group }, { words })(stream, cover)
          last = { name, params, request: signed(sign, request) }
        }
        return last.request
      }
      return {
        request: (shard, { params }) => {
          const cover = covers[shard.cover]?.cover
          const [from, to] = shard.rows
          if (cover === undefined) return E.left(`expected one of ${covers.length} covers, got ${shard.cover}`)
          const blocks = Apart.blocksIn(divided).filter((block) => block.from >= from && block.to <= to)
          if (!RA.isNonEmpty(blocks) || blocks[0].from !== from || blocks.at(-1)?.to !== to) {
            return E.left(`expected rows of blocks, got ${from} to ${to}`)
          }
          return E.right({ request: { ...drawn(shard, params, cover), samples: shard.samples }, blocks })
        },
        hand: own,
        batch: problem.batch,
        next: run?.next,
        initial: run?.run.start(initial) ?? {
          step: 0,
          params: initial,
          optimizer: {},
          advantage: problem.advantage.initial
        },
        dispose: async () => {
          await own.dispose()
          await run?.run.dispose()
        }
      }
    })
  )
