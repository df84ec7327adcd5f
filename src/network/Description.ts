/**
 * Descriptions of networks: what has to be known, beside its parameters, to rebuild one. They are stored with the
 * parameters, as JSON.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import type { ShareName } from '../chain/Share.js'
import { listUpTo, numberThat, oneOf } from '../document/Document.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How many of something there are: an integer of at least 1.
 *
 * @category model
 * @since 0.1.0
 */
export const Positive: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'an integer of at least 1',
  (n) => Number.isSafeInteger(n) && n >= 1
)

/**
 * A denoiser made of dense layers. `features` is the width of an image's row and `labels` that of its condition;
 * `hidden` is the width of the residual stream, `blocks` their number, `embedding` the width in which the network is
 * told time and condition (an even number). `share` names the schedule whose share of data is left at each time.
 *
 * @category model
 * @since 0.1.0
 */
export interface MlpDescription {
  readonly kind: 'mlp'
  readonly features: number
  readonly labels: number
  readonly hidden: number
  readonly blocks: number
  readonly embedding: number
  readonly share: ShareName
}

/**
 * A network of dense layers over sequences of `length` tokens of an `alphabet`, the last of which is the mask: from one-hot codes, a
 * place after another, to logits. The other fields are as in `MlpDescription`. It is told the share of tokens that are masked.
 *
 * @category model
 * @since 0.1.0
 */
export interface TokensDescription {
  readonly kind: 'tokens'
  readonly length: number
  readonly alphabet: number
  readonly labels: number
  readonly hidden: number
  readonly blocks: number
  readonly embedding: number
}

/**
 * A denoiser that is a U-Net on signals, images or clips of `size` (such as height, width, colors; frames come first),
 * given as rows. `patch` is how many neighbours along each axis enter as the channels of one place; the levels have
 * `channels` each, every next one at half the size, and the last is the middle; group norms have `groups` groups. `labels`,
 * `embedding` and `share` are as in `MlpDescription`.
 *
 * @category model
 * @since 0.1.0
 */
export interface UnetDescription {
  readonly kind: 'unet'
  readonly size: ReadonlyArray<number>
  readonly labels: number
  readonly patch: number
  readonly channels: ReadonlyArray<number>
  readonly groups: number
  readonly embedding: number
  readonly share: ShareName
}

/**
 * A denoiser of dense layers in the latents of a convolutional autoencoder of images of `size`. The autoencoder's levels
 * are as those of `UnetDescription`, without skip connections; each place of the deepest has `latent` numbers. `labels`,
 * `hidden`, `blocks`, `embedding` and `share` are the denoiser's, as in `MlpDescription`.
 *
 * @category model
 * @since 0.1.0
 */
export interface LatentDescription {
  readonly kind: 'latent'
  readonly size: ReadonlyArray<number>
  readonly patch: number
  readonly channels: ReadonlyArray<number>
  readonly groups: number
  readonly latent: number
  readonly labels: number
  readonly hidden: number
  readonly blocks: number
  readonly embedding: number
  readonly share: ShareName
}

/**
 * Denoisers of numbers: they predict the noise in them.
 *
 * @category model
 * @since 0.1.0
 */
export type NumbersDescription = MlpDescription | UnetDescription | LatentDescription

/**
 * What can denoise, by `kind`.
 *
 * @category model
 * @since 0.1.0
 */
export type DenoiserDescription = NumbersDescription | TokensDescription

/**
 * A network by what it is.
 *
 * @category model
 * @since 0.1.0
 */
export type Description = DenoiserDescription | ClassifierDescription

/**
 * A classifier made of dense layers: from rows of `features` numbers to `labels` logits, with `blocks` residual blocks
 * of width `hidden`.
 *
 * @category model
 * @since 0.1.0
 */
export interface ClassifierDescription {
  readonly kind: 'classifier'
  readonly features: number
  readonly labels: number
  readonly hidden: number
  readonly blocks: number
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * Decodes the name of a schedule.
 *
 * @category instances
 * @since 0.1.0
 */
export const ShareCodec: t.Type<ShareName, ShareName, unknown> = /*#__PURE__*/ oneOf('cosine', 'linear', 'flow')

// half of an embedding are sines, half are cosines
const Even: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'an even number of at least 2',
  (n) => Number.isSafeInteger(n) && n >= 2 && n % 2 === 0
)

// signals, images and clips have one to three axes of places, and channels
const Sizes: t.Type<ReadonlyArray<number>, ReadonlyArray<number>, unknown> = /*#__PURE__*/ listUpTo(
  Positive,
  4,
  'two to four sizes, the last of the channels'
)

// the deepest of 32 levels, each of half the size, is beyond any size that f64 counts exactly
const Widths: t.Type<ReadonlyArray<number>, ReadonlyArray<number>, unknown> = /*#__PURE__*/ listUpTo(
  Positive,
  32,
  'one to 32 widths'
)

const mlpFields = {
  kind: /*#__PURE__*/ t.literal('mlp'),
  features: Positive,
  labels: Positive,
  hidden: Positive,
  blocks: Positive,
  embedding: Even,
  share: ShareCodec
}

/**
 * Decodes the description of a denoiser made of dense layers.
 *
 * @category instances
 * @since 0.1.0
 */
export const MlpCodec: t.Type<MlpDescription, MlpDescription, unknown> = /*#__PURE__*/ t.type(
  mlpFields,
  'MlpDescription'
)

const tokensFields = {
  kind: /*#__PURE__*/ t.literal('tokens'),
  length: Positive,
  alphabet: numberThat('an integer of at least 2', (n) => Number.isSafeInteger(n) && n >= 2),
  labels: Positive,
  hidden: Positive,
  blocks: Positive,
  embedding: Even
}

/**
 * Decodes the description of a network over tokens.
 *
 * @category instances
 * @since 0.1.0
 */
export const TokensCodec: t.Type<TokensDescription, TokensDescription, unknown> = /*#__PURE__*/ t.type(
  tokensFields,
  'TokensDescription'
)

const unetFields = {
  kind: /*#__PURE__*/ t.literal('unet'),
  size: Sizes,
  labels: Positive,
  patch: Positive,
  channels: Widths,
  groups: Positive,
  embedding: Even,
  share: ShareCodec
}

/**
 * Decodes the description of a U-Net.
 *
 * @category instances
 * @since 0.1.0
 */
export const UnetCodec: t.Type<UnetDescription, UnetDescription, unknown> = /*#__PURE__*/ t.type(
  unetFields,
  'UnetDescription'
)

const latentFields = {
  kind: /*#__PURE__*/ t.literal('latent'),
  size: Sizes,
  patch: Positive,
  channels: Widths,
  groups: Positive,
  latent: Positive,
  labels: Positive,
  hidden: Positive,
  blocks: Positive,
  embedding: Even,
  share: ShareCodec
}

/**
 * Decodes the description of a denoiser in latents.
 *
 * @category instances
 * @since 0.1.0
 */
export const LatentCodec: t.Type<LatentDescription, LatentDescription, unknown> = /*#__PURE__*/ t.type(
  latentFields,
  'LatentDescription'
)

const Kind: t.Type<DenoiserDescription['kind'], string, unknown> = /*#__PURE__*/ oneOf(
  'mlp',
  'unet',
  'latent',
  'tokens'
)

/** A field whose value does not fit the others. */
interface Misfit {
  readonly key: string
  readonly expected: string
}

/** What is wrong between the fields of a network that halves images. */
const misfit = ({ size, patch, channels, groups }: UnetDescription | LatentDescription): Misfit | undefined => {
  if (size.length < 2) return { key: 'size', expected: Sizes.name }
  if (channels.length === 0) return { key: 'channels', expected: Widths.name }
  const step = patch * 2 ** (channels.length - 1)
  if (size.slice(0, -1).some((side) => side % step !== 0)) {
    return {
      key: 'size',
      expected: `sides that are multiples of ${step}: of the patch, and of 2 for each level but one`
    }
  }
  return channels.some((width) => width % groups !== 0)
    ? { key: 'groups', expected: `a divisor of all channels, ${channels.join(', ')}` }
    : undefined
}

/** Decodes a group that has no other fields than its codec, and whose fields fit one another. */
const strictly =
  <D extends DenoiserDescription>(
    codec: t.Type<D, D, unknown>,
    names: ReadonlyArray<string>,
    check: (description: D) => Misfit | undefined
  ): t.Validate<unknown, DenoiserDescription> =>
  (u, context) =>
    pipe(
      codec.validate(u, context),
      E.flatMap((description): t.Validation<DenoiserDescription> => {
        const entries: ReadonlyArray<readonly [string, unknown]> = Object.entries(description)
        const unknown = entries.find(([key]) => !names.includes(key))
        const wrong =
          unknown === undefined
            ? check(description)
            : { key: unknown[0], expected: `one of the fields ${names.join(', ')}` }
        if (wrong === undefined) return t.success(description)
        const { key, expected } = wrong
        const value = key === unknown?.[0] ? key : new Map(entries).get(key)
        return t.failure(value, t.appendContext(context, key, named(expected), value))
      })
    )

/** A type that stands in errors only. */
const named = (name: string): t.Mixed => new t.Type(name, t.unknown.is, t.unknown.validate, t.identity)

const ofKind: Readonly<Record<DenoiserDescription['kind'], t.Validate<unknown, DenoiserDescription>>> = {
  mlp: /*#__PURE__*/ strictly(MlpCodec, Object.keys(mlpFields), () => undefined),
  unet: /*#__PURE__*/ strictly(UnetCodec, Object.keys(unetFields), misfit),
  latent: /*#__PURE__*/ strictly(LatentCodec, Object.keys(latentFields), misfit),
  tokens: /*#__PURE__*/ strictly(TokensCodec, Object.keys(tokensFields), () => undefined)
}

/**
 * Decodes the description of any denoiser. Errors are those of the kind that is named, or that there is no such kind.
 *
 * @category instances
 * @since 0.1.0
 */
export const DenoiserCodec: t.Type<DenoiserDescription, DenoiserDescription, unknown> = new t.Type<
  DenoiserDescription,
  DenoiserDescription,
  unknown
>(
  'DenoiserDescription',
  (u): u is DenoiserDescription => MlpCodec.is(u) || UnetCodec.is(u) || LatentCodec.is(u) || TokensCodec.is(u),
  (u, context) =>
    pipe(
      t.UnknownRecord.validate(u, context),
      E.flatMap(({ kind }) => Kind.validate(kind, t.appendContext(context, 'kind', Kind, kind))),
      E.flatMap((kind) => ofKind[kind](u, context))
    ),
  t.identity
)

/**
 * Decodes the description of a classifier.
 *
 * @category instances
 * @since 0.1.0
 */
export const ClassifierCodec: t.Type<ClassifierDescription, ClassifierDescription, unknown> = /*#__PURE__*/ t.type(
  { kind: t.literal('classifier'), features: Positive, labels: Positive, hidden: Positive, blocks: Positive },
  'ClassifierDescription'
)
