/**
 * A crew at the other end of Redis: blocks of rows as jobs, and what they tell as numbers.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type * as Apart from 'halforder/estimator/apart/Apart'
import { heardBy, joined, type Numbers, rowsOf } from 'halforder/estimator/apart/Apart'
import { isOfSamples, type Outs, type Told } from 'halforder/estimator/apart/Hand'
import type { EstimatorError, Request } from 'halforder/estimator/Gradient'
import { trainedShapes } from 'halforder/estimator/program/Programs'
import type { Values } from 'halforder/tensor/Program'
import { first as firstNotFinite } from 'halforder/tensor/Finite'
import { at } from 'halforder/tensor/Tensor'
import type { State } from 'halforder/training/Finetune'
import type { Setup } from 'halforder/training/Setup'
import type { Dispatch, Done, Job } from './Dispatch.js'
import { packHeard, packNumbers, unpackNumbers, unpackOuts, unpackTensors } from './Packing.js'
import * as Parcel from './Parcel.js'
import * as Parts from './Parts.js'
import { isOfNumbers, posed } from './Shop.js'
import { blocksAJob, grouped } from './Sizes.js'
import type { Result, Shard } from './Wire.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A crew that is told where the run is before each step. `supply` puts the parts that a worker lacks, if they are of this run.
 *
 * @category model
 * @since 0.1.0
 */
export interface Leader {
  readonly crew: Apart.Crew
  readonly at: (state: State) => void
  readonly supply: (parts: ReadonlyArray<string>) => Promise<boolean>
}

/**
 * What a leader leads: a fine-tune, the bytes of its recipe, and the digest that tells it from others. `ask` gives jobs out, and `put` keeps parts where workers find
 * them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Leading {
  readonly setup: Setup
  readonly run: string
  readonly recipe: Uint8Array
  readonly ask: Dispatch['all']
  readonly put: (parts: ReadonlyMap<string, Uint8Array>) => Promise<void>
}

// -------------------------------------------------------------------------------------
// errors
// -------------------------------------------------------------------------------------

const failed = (reason: string): EstimatorError => ({
  _tag: 'OnTarget',
  program: 'blocks of rows',
  error: { _tag: 'Failed', target: 'workers', reason }
})

/** What a block came to: what was wanted of it, or what its rows ran into, which is the run's own fault and not the worker's. */
type Came<A> = E.Either<EstimatorError, A>

const accepting =
  <A>(wanted: (of: Result['of'], arrays: ReadonlyArray<Parcel.Numbers>) => E.Either<string, A>) =>
  ({ of }: Result, arrays: ReadonlyArray<Parcel.Numbers>): E.Either<string, Came<A>> => {
    if (of._tag === 'NotFinite') {
      const value = arrays[0]?.[0] ?? Number.NaN
      return E.right(E.left({ _tag: 'NotFiniteRow', of: of.what, reward: of.reward, row: of.row, value }))
    }
    return of._tag === 'Left' ? E.left(of.reason) : pipe(wanted(of, arrays), E.map(E.right))
  }

/** All values, or the first left in the order of blocks, as one machine would have found it. */
const inOrder = <A>(done: ReadonlyArray<Done<Came<A>>>): E.Either<EstimatorError, ReadonlyArray<Done<A>>> =>
  pipe(
    done,
    E.traverseArray(({ value, ...others }) =>
      pipe(
        value,
        E.map((own) => ({ ...others, value: own }))
      )
    )
  )

// -------------------------------------------------------------------------------------
// leading
// -------------------------------------------------------------------------------------

/** Blocks of one job, and who did it. */
interface Group {
  readonly blocks: ReadonlyArray<Apart.RowBlock>
  readonly worker: string | undefined
}

/** Results of about so many bytes at most: a worker that is gone takes no more along. */
const largest = 2 ** 24

/** How many rows of parameters are sent that rows have copies of: one. */
const shared = ({ chain }: Setup['problem'], params: Values): Values => {
  const shapes = new Map(trainedShapes(chain.parameters, () => true))
  return Object.fromEntries(
    Object.entries(params).map(([path, value]) => [path, shapes.get(path)?.[0] === 'batch' ? at(0)(value) : value])
  )
}

/**
 * A leader.
 *
 * @category constructors
 * @since 0.1.0
 */
export const leader = ({ setup, run, recipe, ask, put }: Leading): Leader => {
  const problem = posed(setup)
  const covers = problem.estimator.covers.map(({ cover }) => cover)
  const numbersOnly = isOfNumbers(setup)
  // the bytes of a gradient
  const weight = trainedShapes(problem.chain.parameters, problem.trained).reduce(
    (n, [, shape]) => n + 4 * shape.reduce<number>((m, d) => m * (typeof d === 'number' ? d : 32), 1),
    0
  )
  const recipeDigest = Parcel.digestOf(recipe)
  // what a worker finds in its own base, and what was sent before
  const there = new Set(Object.values(setup.initial).map(Parts.digestOf))
  let parts = new Map<string, Uint8Array>()
  let state: State | undefined
  let before: { readonly state: string; readonly told: string; readonly bytes: Uint8Array } | undefined
  let rate = { seconds: 0, workers: 1 }
  let told: Array<Numbers> = []
  let current: Parts.Parted | undefined
  const walked = new WeakMap<Request, ReadonlyArray<Group>>()

  const here = (request: Request): Parts.Parted => {
    if (current !== undefined) return current
    const needed =
      numbersOnly && state !== undefined ? state : { step: 0, advantage: 0, params: shared(problem, request.params) }
    current = Parts.parted(needed)
    parts = new Map([...current.parts, [current.digest, current.manifest], [recipeDigest, recipe]])
    return current
  }

  const supply = async (asked: ReadonlyArray<string>): Promise<boolean> => {
    const found = asked.flatMap((digest) => {
      const bytes = parts.get(digest)
      return bytes === undefined ? [] : [[digest, bytes] as const]
    })
    if (found.length < asked.length) return false
    await put(new Map(found))
    found.forEach(([digest]) => there.add(digest))
    return true
  }

  /** What changed, where workers look for it before they ask. */
  const publish = async (own: Parts.Parted): Promise<void> => {
    if (before !== undefined && !there.has(before.told)) {
      await put(new Map([[before.told, before.bytes]]))
      there.add(before.told)
    }
    if (numbersOnly || there.has(own.digest)) return
    const fresh = [...own.parts, [own.digest, own.manifest] as const].filter(([digest]) => !there.has(digest))
    await put(new Map(fresh))
    fresh.forEach(([digest]) => there.add(digest))
  }

  /** How many blocks a job may have, for what its gradients weigh. */
  const bearable = ({ cover: { cells } }: Request): number => {
    const sums = cells.filter(isOfSamples).length
    return numbersOnly || sums === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(largest / (weight * sums)))
  }

  const shardOf = (request: Request, { from, to }: Apart.RowBlock): E.Either<EstimatorError, Shard> => {
    const { cover, origin, samples } = request
    const text = JSON.stringify(cover)
    const index = covers.findIndex((one) => one === cover || JSON.stringify(one) === text)
    if (origin === undefined || index < 0 || request.learned !== undefined) {
      return E.left(
        failed('expected a request that says what it was drawn from, for a cover of the run, without a critic')
      )
    }
    const [low, high] = origin.key.words
    return E.right({
      kind: 'walk',
      run,
      recipe: recipeDigest,
      state: here(request).digest,
      cover: index,
      key: [low, high],
      stream: origin.stream,
      sign: origin.sign,
      rows: [from, to],
      samples: samples !== false,
      heard: null,
      after: before === undefined ? null : { state: before.state, told: before.told }
    })
  }

  const asked = <A>(jobs: ReadonlyArray<Job<Came<A>>>): TE.TaskEither<EstimatorError, ReadonlyArray<Done<A>>> =>
    pipe(() => ask(jobs), TE.mapLeft(failed), TE.flatMapEither(inOrder))

  const crew: Apart.Crew = {
    walk: (request, blocks) => {
      const size = blocksAJob(blocks.length, rate.workers, rate.seconds)
      const groups = grouped(Math.min(size, bearable(request)))(blocks)
      return pipe(
        TE.tryCatch(
          () => publish(here(request)),
          (error) => failed(String(error))
        ),
        TE.flatMapEither(() =>
          pipe(
            groups,
            E.traverseArray((group) => {
              const rows = spanned(group)
              return pipe(
                shardOf(request, rows),
                E.map(
                  (head): Job<Came<Told>> => ({
                    message: Parcel.encode({ head, arrays: [] }),
                    first: undefined,
                    accept: accepting((of, arrays) =>
                      of._tag === 'Told' ? toldBy(rows, request, of, arrays) : E.left('it is no answer to a rollout')
                    )
                  })
                )
              )
            })
          )
        ),
        TE.flatMap(asked),
        TE.map((done) => {
          rate = {
            seconds: done.reduce((n, one) => n + one.seconds, 0) / blocks.length,
            workers: new Set(done.map(({ worker }) => worker)).size
          }
          const all = groups.flatMap((group, i) => done.slice(i, i + 1).map((one) => ({ group, one })))
          walked.set(
            request,
            all.map(({ group, one }) => ({ blocks: group, worker: one.worker }))
          )
          if (numbersOnly) {
            told.push(joined(all.map(({ group, one }) => ({ block: spanned(group), numbers: one.value.numbers }))))
          }
          return all.flatMap(({ group, one }) => parted(group, one.value))
        })
      )
    },
    credit: (request, blocks, heard) =>
      pipe(
        walked.get(request) ?? blocks.map((block): Group => ({ blocks: [block], worker: undefined })),
        E.traverseArray(({ blocks: group, worker }: Group) => {
          const rows = spanned(group)
          return pipe(
            shardOf(request, rows),
            E.map((shard): Job<Came<ReadonlyArray<Outs>>> => {
              const { lists, numbers } = packHeard(heardBy(rows)(heard))
              return {
                message: Parcel.encode({ head: { ...shard, kind: 'credit', heard: lists }, arrays: [numbers] }),
                first: worker,
                accept: accepting((of, arrays) =>
                  of._tag === 'Outs'
                    ? creditOf(problem, group, request, of, arrays)
                    : E.left('it is no answer about credit')
                )
              }
            })
          )
        }),
        TE.fromEither,
        TE.flatMap(asked),
        TE.map((done) => done.flatMap(({ value }) => value))
      )
  }

  return {
    crew,
    supply,
    at: (next) => {
      if (current !== undefined && state !== undefined && next.step === state.step + 1) {
        const packed = told.map(packNumbers)
        const bytes = Parcel.encode({
          head: { told: packed.map(({ lists }) => lists) },
          arrays: packed.map(({ numbers }) => numbers)
        })
        before = numbersOnly ? { state: current.digest, told: Parcel.digestOf(bytes), bytes } : undefined
      } else before = undefined
      told = []
      state = next
      current = undefined
    }
  }
}

// -------------------------------------------------------------------------------------
// what may be used
// -------------------------------------------------------------------------------------

/** The rows of blocks that lie side by side. */
const spanned = (group: ReadonlyArray<Apart.RowBlock>): Apart.RowBlock => ({
  from: group[0]?.from ?? 0,
  to: group.at(-1)?.to ?? 0
})

/** What each of some blocks told of what they told together. */
const parted = (group: ReadonlyArray<Apart.RowBlock>, told: Told): ReadonlyArray<Told> => {
  const { from: start } = spanned(group)
  return group.length === 1
    ? [told]
    : group.map(({ from, to }) => ({ ...told, numbers: rowsOf(told.numbers, { from: from - start, to: to - start }) }))
}

const toldBy = (
  { from, to }: Apart.RowBlock,
  request: Request,
  { lists, samples }: Extract<Result['of'], { _tag: 'Told' }>,
  arrays: ReadonlyArray<Parcel.Numbers>
): E.Either<string, Told> => {
  const rows = to - from
  if (lists.cells.length !== request.cover.cells.length) {
    return E.left(`expected the numbers of ${request.cover.cells.length} cells, got those of ${lists.cells.length}`)
  }
  return pipe(
    E.Do,
    E.bind('numbers', () => unpackNumbers(rows)(lists, arrays[0])),
    E.filterOrElse(
      ({ numbers: { rewards, unusable } }) => rewards.every((r, n) => Number.isFinite(r) || unusable.includes(n)),
      () => 'a reward is not finite'
    ),
    E.bind('shown', () => unpackTensors(samples, arrays)),
    E.flatMap(({ numbers, shown: { x0, trajectory } }) =>
      request.samples === false
        ? E.right({ numbers, x0: { shape: [0], data: new Float32Array(0) }, trajectory: undefined })
        : x0 !== undefined && x0.shape[0] === rows
          ? E.right({ numbers, x0, trajectory })
          : E.left(`expected ${rows} samples`)
    )
  )
}

/** Gradients of all that is trained for each of some blocks, of the shapes that it has, and finite. */
const creditOf = (
  { chain, trained }: Setup['problem'],
  group: ReadonlyArray<Apart.RowBlock>,
  { cover }: Request,
  { blocks }: Extract<Result['of'], { _tag: 'Outs' }>,
  arrays: ReadonlyArray<Parcel.Numbers>
): E.Either<string, ReadonlyArray<Outs>> => {
  const shapes = trainedShapes(chain.parameters, trained)
  const fits =
    ({ from, to }: Apart.RowBlock) =>
    (values: Values): boolean =>
      shapes.every(
        ([path, shape]) =>
          values[`gradient.${path}`]?.shape.join() === shape.map((d) => (typeof d === 'number' ? d : to - from)).join()
      )
  const other = blocks.find((cells) => cells.length !== cover.cells.length)
  if (blocks.length !== group.length) return E.left(`expected ${group.length} blocks, got ${blocks.length}`)
  return other !== undefined
    ? E.left(`expected the credit of ${cover.cells.length} cells, got that of ${other.length}`)
    : pipe(
        unpackOuts(blocks, arrays),
        E.filterOrElse(
          (outs) => group.every((block, i) => (outs[i] ?? []).flat().every(fits(block))),
          () => 'a gradient has not the shape of its parameter'
        ),
        E.filterOrElse(
          (outs) => outs.flat(2).every((values) => firstNotFinite(values) === undefined),
          () => 'a gradient is not finite'
        )
      )
}
