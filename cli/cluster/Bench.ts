/**
 * Where a worker does its work: from the bytes of a job to those of its result. What is no job is refused, and nothing in one is run.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { heardBy, joined, type RowBlock, samplesIn } from 'halforder/estimator/apart/Apart'
import type { Outs, Waiting } from 'halforder/estimator/apart/Hand'
import { type EstimatorError, type Request, showError } from 'halforder/estimator/Gradient'
import type { State } from 'halforder/training/Finetune'
import { packNumbers, packOuts, packTensors, unpackHeard, unpackNumbers } from './Packing.js'
import * as Parcel from './Parcel.js'
import * as Parts from './Parts.js'
import type { Shop } from './Shop.js'
import { Manifest, type Result, says, Shard, Step } from './Wire.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where parts are had from, by their digests: those that are there, whose bytes are what their digests say.
 *
 * @category model
 * @since 0.1.0
 */
export interface Depot {
  readonly get: (digests: ReadonlyArray<string>) => Promise<ReadonlyMap<string, Uint8Array>>
}

/**
 * What a worker is made of: its name, where parts are, and how it comes by the shop of a recipe, whose bytes are given. A shop that it will
 * not open is a left that says why.
 *
 * @category model
 * @since 0.1.0
 */
export interface Crafts {
  readonly id: string
  readonly depot: Depot
  readonly shop: (recipe: Uint8Array) => Promise<E.Either<string, Shop>>
}

/**
 * A worker's bench. `work` gives the bytes of a result, or a left that says why a message is no job.
 *
 * @category model
 * @since 0.1.0
 */
export interface Bench {
  readonly work: (message: Uint8Array) => Promise<E.Either<string, Uint8Array>>
  readonly dispose: () => Promise<void>
}

/** How many states, and how many blocks that wait for what they hear, are kept. */
const most = { states: 3, waiting: 256, shops: 2 } as const

// -------------------------------------------------------------------------------------
// keeping
// -------------------------------------------------------------------------------------

/** A map that forgets what was put there first. */
const keeping = <A>(
  count: number,
  forget: (value: A) => void = () => undefined
): {
  readonly get: (key: string) => A | undefined
  readonly set: (key: string, value: A) => A
  readonly all: () => Iterable<A>
} => {
  const kept = new Map<string, A>()
  return {
    get: (key) => kept.get(key),
    set: (key, value) => {
      kept.delete(key)
      kept.set(key, value)
      for (const [oldest, one] of kept) {
        if (kept.size <= count) break
        kept.delete(oldest)
        forget(one)
      }
      return value
    },
    all: () => kept.values()
  }
}

// -------------------------------------------------------------------------------------
// work
// -------------------------------------------------------------------------------------

type Became = { readonly of: Result['of']; readonly arrays: ReadonlyArray<Parcel.Numbers> }

const missing = (parts: ReadonlyArray<string>): Became => ({ of: { _tag: 'Missing', parts }, arrays: [] })

const left = (reason: string): Became => ({ of: { _tag: 'Left', reason: reason.slice(0, 2 ** 14) }, arrays: [] })

const ofError = (error: EstimatorError): Became =>
  error._tag === 'NotFiniteRow'
    ? {
        of: { _tag: 'NotFinite', what: error.of, reward: error.reward.slice(0, 2 ** 12), row: error.row },
        arrays: [Float64Array.of(error.value)]
      }
    : left(showError(error))

/**
 * A worker's bench.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bench = ({ id, depot, shop: open }: Crafts): Bench => {
  const shops = keeping<Shop>(most.shops, (one) => void one.dispose())
  const states = keeping<State>(most.states)
  // blocks of one state at a time: their trajectories are large
  let waiting = keeping<Waiting>(most.waiting)
  let waitingFor = ''

  const shopOf = async (recipe: string): Promise<E.Either<Became, Shop>> => {
    const known = shops.get(recipe)
    if (known !== undefined) return E.right(known)
    const bytes = (await depot.get([recipe])).get(recipe)
    if (bytes === undefined) return E.left(missing([recipe]))
    // what it would not open for may be there the next time
    return pipe(
      await open(bytes),
      E.bimap(left, (shop) => shops.set(recipe, shop))
    )
  }

  /** The state of a digest: as it is kept, by a step from another one, or from its parts. */
  const stateOf = async (shop: Shop, shard: Shard): Promise<E.Either<Became, State>> => {
    const known = states.get(shard.state)
    if (known !== undefined) return E.right(known)
    const stepped = await replayed(shop, shard)
    if (stepped !== undefined) return E.right(states.set(shard.state, stepped))
    const text = (await depot.get([shard.state])).get(shard.state)
    if (text === undefined) return E.left(missing([shard.state]))
    const read = pipe(
      Parcel.decode(text),
      E.bindTo('parcel'),
      E.bind('manifest', ({ parcel }) => says(Manifest)(parcel.head))
    )
    if (E.isLeft(read)) return E.left(left(`the state: ${read.left}`))
    const { manifest, parcel } = read.right
    // what did not change since the start, or since another step, is here already
    const here = new Map(
      [shop.initial, ...states.all()].flatMap(({ params, optimizer }) =>
        [...Object.values(params), ...Object.values(optimizer)].map(
          (tensor) => [Parts.digestOf(tensor), tensor.data] as const
        )
      )
    )
    const asked = [...new Set(manifest.tensors.map(([, , , digest]) => digest))].filter((digest) => !here.has(digest))
    const brought = await depot.get(asked)
    return pipe(
      Parts.joined(manifest, parcel.arrays[0]?.[0] ?? Number.NaN, (digest) => here.get(digest) ?? brought.get(digest)),
      E.bimap(missing, (state) => states.set(shard.state, state))
    )
  }

  /** One step from a state that is known, where its numbers make it; what comes out must be what was asked for. */
  const replayed = async (shop: Shop, { state, after }: Shard): Promise<State | undefined> => {
    if (after === null || shop.next === undefined) return undefined
    const before = states.get(after.state)
    if (before === undefined) return undefined
    const told = pipe(
      (await depot.get([after.told])).get(after.told),
      E.fromNullable('it is not there'),
      E.flatMap(Parcel.decode),
      E.bindTo('parcel'),
      E.bind('step', ({ parcel }) => says(Step)(parcel.head)),
      E.flatMap(({ parcel, step }) =>
        pipe(
          step.told,
          E.traverseArrayWithIndex((i, lists) => unpackNumbers(shop.batch)(lists, parcel.arrays[i]))
        )
      )
    )
    if (E.isLeft(told)) return undefined
    const next = await shop.next(before, told.right)()
    return E.isRight(next) && Parts.parted(next.right).digest === state ? next.right : undefined
  }

  const walked = async (
    shop: Shop,
    shard: Shard,
    request: Request,
    block: RowBlock
  ): Promise<E.Either<Became, Waiting>> => {
    const { run, state, cover, key, stream, sign } = shard
    const name = JSON.stringify([run, state, cover, key, stream, sign, block])
    if (waitingFor !== `${run} ${state}`) {
      waiting = keeping<Waiting>(most.waiting)
      waitingFor = `${run} ${state}`
    }
    const known = waiting.get(name)
    if (known !== undefined) return E.right(known)
    return pipe(
      await shop.hand.walk(request, block)(),
      E.bimap(ofError, (one) => waiting.set(name, one))
    )
  }

  const became = async (shard: Shard, arrays: ReadonlyArray<Parcel.Numbers>): Promise<Became> => {
    const shop = await shopOf(shard.recipe)
    if (E.isLeft(shop)) return shop.left
    const [from, to] = shard.rows
    const heard = shard.heard === null ? undefined : unpackHeard(to - from)(shard.heard, arrays.at(-1))
    if (heard !== undefined && E.isLeft(heard)) return left(heard.left)
    const state = await stateOf(shop.right, shard)
    if (E.isLeft(state)) return state.left
    const request = shop.right.request(shard, state.right)
    if (E.isLeft(request)) return left(request.left)
    const { blocks, request: whole } = request.right
    const own: Array<{ readonly block: RowBlock; readonly waiting: Waiting }> = []
    for (const block of blocks) {
      const one = await walked(shop.right, shard, whole, block)
      if (E.isLeft(one)) return one.left
      own.push({ block, waiting: one.right })
    }
    if (heard === undefined) return told(shard, own)
    const outs: Array<Outs> = []
    for (const { block, waiting: one } of own) {
      const part = { from: block.from - from, to: block.to - from }
      const credited = await one.credit(heardBy(part)(heard.right))()
      if (E.isLeft(credited)) return ofError(credited.left)
      outs.push(credited.right)
    }
    const { arrays: numbers, blocks: packed } = packOuts(outs)
    return { of: { _tag: 'Outs', blocks: packed }, arrays: numbers }
  }

  return {
    work: async (message) => {
      const job = Parcel.digestOf(message)
      const read = pipe(
        Parcel.decode(message),
        E.bindTo('parcel'),
        E.bind('shard', ({ parcel }) => says(Shard)(parcel.head))
      )
      if (E.isLeft(read)) return read
      const began = performance.now()
      const { of, arrays } = await became(read.right.shard, read.right.parcel.arrays).catch((error: unknown) =>
        left(`the worker: ${error instanceof Error ? error.message : String(error)}`)
      )
      const head: Result = { job, worker: id, seconds: (performance.now() - began) / 1000, of }
      return E.right(Parcel.encode({ head, arrays }))
    },
    dispose: async () => {
      for (const one of shops.all()) await one.dispose()
    }
  }
}

const shown = ({ trajectory, x0 }: ReturnType<typeof samplesIn>): ReturnType<typeof packTensors> =>
  packTensors({ x0, ...(trajectory === undefined ? {} : { trajectory }) }, 1)

const told = (
  { rows: [start], samples }: Shard,
  own: ReadonlyArray<{ readonly block: RowBlock; readonly waiting: Waiting }>
): Became => {
  const { lists, numbers } = packNumbers(
    joined(
      own.map(({ block: { from, to }, waiting }) => ({
        block: { from: from - start, to: to - start },
        numbers: waiting.numbers
      }))
    )
  )
  const { shaped, arrays } = samples ? shown(samplesIn(own.map(({ waiting }) => waiting))) : { shaped: [], arrays: [] }
  return { of: { _tag: 'Told', lists, samples: shaped }, arrays: [numbers, ...arrays] }
}
