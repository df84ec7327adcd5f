/**
 * The state of a run as bytes, and back: bit for bit, or a left that says what is not as it was written.
 *
 * A checkpoint is a safetensors file. Everything is kept in full precision, because a resumed run must give the same
 * bits. What is no tensor is text: the step, numbers by name, and the run's identity (its configuration, say). The text
 * has a digest of every tensor, and one of itself, so that a flipped bit is found, and named, wherever it is.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { quote } from '../document/Shown.js'
import * as Safetensors from '../format/Safetensors.js'
import { below, under, type Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'
import { type CheckpointError, prefix } from './CheckpointError.js'
import { firstIn } from '../tensor/Finite.js'
import type { State } from './Finetune.js'

export { type CheckpointError, showError } from './CheckpointError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * SHA-256 as 64 hexadecimal digits, from wherever this runs: `createHash('sha256').update(bytes).digest('hex')` in
 * Node.
 *
 * @category model
 * @since 0.1.0
 */
export type Digest = (bytes: Uint8Array) => string

/**
 * Where a run is: steps done, numbers by name, tensors by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Checkpoint {
  readonly step: number
  readonly numbers: Readonly<Record<string, number>>
  readonly tensors: Values
}

/**
 * Which run a checkpoint belongs to: texts by name. A run goes on from a checkpoint of equal texts only.
 *
 * @category model
 * @since 0.1.0
 */
export type Identity = Readonly<Record<string, string>>

/**
 * A checkpoint as a file has it, with the run that it belongs to.
 *
 * @category model
 * @since 0.1.0
 */
export interface Stored {
  readonly identity: Identity
  readonly checkpoint: Checkpoint
}

/** The form of the text; another one is read by another version. */
const format = 'halforder checkpoint 1'

const Text = t.type({
  format: t.string,
  step: t.string,
  numbers: t.string,
  identity: t.string,
  digests: t.string,
  digest: t.string
})

const Numbers = t.record(t.string, t.number)
const Texts = t.record(t.string, t.string)

// -------------------------------------------------------------------------------------
// digests
// -------------------------------------------------------------------------------------

/**
 * The digest of some tensors: of their names, number formats, shapes and bits. Left: a tensor that does not fill its
 * shape.
 *
 * @category utils
 * @since 0.1.0
 */
export const digestOf =
  (digest: Digest) =>
  (tensors: Values): E.Either<CheckpointError, string> =>
    pipe(
      Safetensors.encode('own')({ tensors, metadata: {} }),
      E.bimap((error): CheckpointError => ({ _tag: 'NotReadable', error }), digest)
    )

/** The digest of each tensor by itself, by name. */
const digestsOf = (digest: Digest, tensors: Values): E.Either<CheckpointError, Identity> =>
  pipe(
    Object.entries(tensors),
    E.traverseArray(([name, tensor]) =>
      pipe(
        digestOf(digest)({ '': tensor }),
        E.map((found) => [name, found] as const)
      )
    ),
    E.map((entries) => Object.fromEntries(entries))
  )

const textDigest = (digest: Digest, text: Omit<t.TypeOf<typeof Text>, 'digest'>): string => {
  const { format: form, step, numbers, identity, digests } = text
  return digest(new TextEncoder().encode(JSON.stringify([form, step, numbers, identity, digests])))
}

// -------------------------------------------------------------------------------------
// writing and reading
// -------------------------------------------------------------------------------------

/**
 * The bytes of a checkpoint of a run; equal ones have equal bytes. Left: a number that is not finite, or a tensor that
 * does not fill its shape.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode =
  (digest: Digest) =>
  (identity: Identity, checkpoint: Checkpoint): E.Either<CheckpointError, Uint8Array> =>
    pipe(
      finite(checkpoint),
      E.flatMap(({ tensors }) => digestsOf(digest, tensors)),
      E.flatMap((digests) => {
        const text = {
          format,
          step: String(checkpoint.step),
          numbers: canonical(checkpoint.numbers),
          identity: canonical(identity),
          digests: canonical(digests)
        }
        return pipe(
          Safetensors.encode('own')({
            tensors: checkpoint.tensors,
            metadata: { ...text, digest: textDigest(digest, text) }
          }),
          E.mapLeft((error): CheckpointError => ({ _tag: 'NotReadable', error }))
        )
      })
    )

/** As JSON, in the order of the names: equal checkpoints are equal bytes, however they came about. */
const canonical = (values: Readonly<Record<string, string | number>>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1))))

const finite = (checkpoint: Checkpoint): E.Either<CheckpointError, Checkpoint> => {
  for (const [name, value] of Object.entries(checkpoint.numbers))
    if (!Number.isFinite(value)) return E.left({ _tag: 'NotFinite', found: { name, place: [], value } })
  for (const [name, tensor] of Object.entries(checkpoint.tensors)) {
    const found = firstIn(name)(tensor)
    if (found !== undefined) return E.left({ _tag: 'NotFinite', found })
  }
  return E.right(checkpoint)
}

/**
 * The checkpoint in some bytes, as it was written. Left: no checkpoint; a tensor or a text that is not the one that was
 * written; a step that is no whole number; a number that is not finite.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode =
  (digest: Digest) =>
  (bytes: Uint8Array): E.Either<CheckpointError, Stored> =>
    pipe(
      Safetensors.decode(bytes),
      E.mapLeft((error): CheckpointError => ({ _tag: 'NotReadable', error })),
      E.bindTo('file'),
      E.bind('text', ({ file }) => textIn(digest, file.metadata)),
      E.bind('step', ({ text }) => stepIn(text.step)),
      E.bind('numbers', ({ text }) => record(Numbers, 'numbers', text.numbers)),
      E.bind('identity', ({ text }) => record(Texts, 'identity', text.identity)),
      E.bind('digests', ({ text }) => record(Texts, 'digests', text.digests)),
      E.chainFirst(({ file, digests }) => unaltered(digest, digests, file.tensors)),
      E.flatMap(({ file: { tensors }, step, numbers, identity }) =>
        pipe(
          finite({ step, numbers, tensors }),
          E.map((checkpoint) => ({ identity, checkpoint }))
        )
      )
    )

const textIn = (digest: Digest, metadata: Identity): E.Either<CheckpointError, t.TypeOf<typeof Text>> => {
  if (!Text.is(metadata) || metadata.format !== format) return E.left({ _tag: 'NoCheckpoint' })
  const names = Object.keys(metadata).filter((name) => !Object.hasOwn(Text.props, name))
  return names.length === 0 && metadata.digest === textDigest(digest, metadata)
    ? E.right(metadata)
    : E.left({ _tag: 'Altered', what: 'its text' })
}

/** As it was written and in no other way: no `1e3`, no `0x6`, no empty text. */
const stepIn = (text: string): E.Either<CheckpointError, number> => {
  const step = Number(text)
  return Number.isSafeInteger(step) && step >= 0 && String(step) === text
    ? E.right(step)
    : E.left({ _tag: 'BadText', name: 'step', expected: 'a whole number of at least 0', got: text })
}

const record = <A>(codec: t.Type<A, unknown, unknown>, name: string, text: string): E.Either<CheckpointError, A> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => undefined
    ),
    E.flatMap((given) => codec.decode(given)),
    E.mapLeft((): CheckpointError => ({ _tag: 'BadText', name, expected: 'a record as JSON', got: text }))
  )

const unaltered = (digest: Digest, written: Identity, tensors: Values): E.Either<CheckpointError, void> =>
  pipe(
    E.Do,
    E.chainFirst(() => sameNames(Object.keys(written), Object.keys(tensors))),
    E.flatMap(() => digestsOf(digest, tensors)),
    E.flatMap((found): E.Either<CheckpointError, void> => {
      const altered = Object.keys(written).find((name) => written[name] !== found[name])
      return altered === undefined ? E.right(undefined) : E.left({ _tag: 'Altered', what: quote(altered) })
    })
  )

const sameNames = (expected: ReadonlyArray<string>, got: ReadonlyArray<string>): E.Either<CheckpointError, void> => {
  const [wanted, there] = [new Set(expected), new Set(got)]
  const missing = expected.find((name) => !there.has(name))
  const unknown = got.find((name) => !wanted.has(name))
  if (missing !== undefined) return E.left({ _tag: 'Missing', tensor: missing })
  return unknown === undefined ? E.right(undefined) : E.left({ _tag: 'Unknown', tensor: unknown })
}

// -------------------------------------------------------------------------------------
// belonging
// -------------------------------------------------------------------------------------

/**
 * A checkpoint that a run can go on from: one of its own, with the tensors that it starts from and no others. Left: the
 * first text of the identity that differs, the first tensor that is missing, unknown or of another shape or number
 * format, a number that is missing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const belongsTo =
  (identity: Identity, start: Checkpoint) =>
  ({ identity: own, checkpoint }: Stored): E.Either<CheckpointError, Checkpoint> => {
    for (const name of new Set([...Object.keys(identity), ...Object.keys(own)]))
      if (identity[name] !== own[name])
        return E.left({ _tag: 'OfAnotherRun', name, expected: identity[name], got: own[name] })
    const number = Object.keys(start.numbers).find((name) => !Object.hasOwn(checkpoint.numbers, name))
    if (number !== undefined)
      return E.left({ _tag: 'BadText', name: number, expected: 'a finite number', got: undefined })
    return pipe(
      sameNames(Object.keys(start.tensors), Object.keys(checkpoint.tensors)),
      E.flatMap(() => {
        for (const [name, like] of Object.entries(start.tensors)) {
          const got = checkpoint.tensors[name]
          if (got !== undefined && form(got) !== form(like))
            return E.left<CheckpointError>({ _tag: 'OtherForm', tensor: name, expected: form(like), got: form(got) })
        }
        return E.right(checkpoint)
      })
    )
  }

const form = ({ shape, data }: Tensor): string =>
  `${data instanceof Float64Array ? 'f64' : 'f32'} [${shape.join(', ')}]`

// -------------------------------------------------------------------------------------
// fine-tunes
// -------------------------------------------------------------------------------------

/**
 * The checkpoint of a fine-tune: its parameters, its optimizer's state, its critic and the policy that samples lie under names of their own, so that no name
 * of a parameter is taken for one of the optimizer.
 *
 * @category conversions
 * @since 0.1.0
 */
export const ofState = ({ step, params, optimizer, advantage, critic = {}, old = {} }: State): Checkpoint => ({
  step,
  numbers: { advantage },
  tensors: {
    ...under(prefix.params, params),
    ...under(prefix.optimizer, optimizer),
    ...under(prefix.critic, critic),
    ...under(prefix.old, old)
  }
})

/**
 * The state of a fine-tune, from a checkpoint that `ofState` made.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toState = ({ step, numbers, tensors }: Checkpoint): State => {
  const critic = below(prefix.critic, tensors)
  const old = below(prefix.old, tensors)
  return {
    step,
    advantage: numbers['advantage'] ?? 0,
    params: below(prefix.params, tensors),
    optimizer: below(prefix.optimizer, tensors),
    ...(Object.keys(critic).length === 0 ? {} : { critic }),
    ...(Object.keys(old).length === 0 ? {} : { old })
  }
}
