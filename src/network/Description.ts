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

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How many of something there are: an integer of at least 1.
 *
 * @category model
 * @since 0.1.0
 */
export const Positive: t.Type<number, number, unknown> = new t.Type<number, number, unknown>(
  'an integer of at least 1',
  (u): u is number => typeof u === 'number' && Number.isSafeInteger(u) && u >= 1,
  (u, context) => (typeof u === 'number' && Number.isSafeInteger(u) && u >= 1 ? t.success(u) : t.failure(u, context)),
  t.identity
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
 * What can denoise, by `kind`.
 *
 * @category model
 * @since 0.1.0
 */
export type DenoiserDescription = MlpDescription | UnetDescription | LatentDescription

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
export const ShareCodec: t.Type<ShareName, ShareName, unknown> = t.union([
  t.literal('cosine'),
  t.literal('linear'),
  t.literal('flow')
])

/**
 * Decodes the description of a denoiser made of dense layers.
 *
 * @category instances
 * @since 0.1.0
 */
export const MlpCodec: t.Type<MlpDescription, MlpDescription, unknown> = t.type(
  {
    kind: t.literal('mlp'),
    features: Positive,
    labels: Positive,
    hidden: Positive,
    blocks: Positive,
    embedding: Positive,
    share: ShareCodec
  },
  'MlpDescription'
)

/**
 * Decodes the description of a U-Net.
 *
 * @category instances
 * @since 0.1.0
 */
export const UnetCodec: t.Type<UnetDescription, UnetDescription, unknown> = t.type(
  {
    kind: t.literal('unet'),
    size: t.readonlyArray(Positive),
    labels: Positive,
    patch: Positive,
    channels: t.readonlyArray(Positive),
    groups: Positive,
    embedding: Positive,
    share: ShareCodec
  },
  'UnetDescription'
)

/**
 * Decodes the description of a denoiser in latents.
 *
 * @category instances
 * @since 0.1.0
 */
export const LatentCodec: t.Type<LatentDescription, LatentDescription, unknown> = t.type(
  {
    kind: t.literal('latent'),
    size: t.readonlyArray(Positive),
    patch: Positive,
    channels: t.readonlyArray(Positive),
    groups: Positive,
    latent: Positive,
    labels: Positive,
    hidden: Positive,
    blocks: Positive,
    embedding: Positive,
    share: ShareCodec
  },
  'LatentDescription'
)

const Kind = t.keyof({ mlp: null, unet: null, latent: null }, '"mlp", "unet" or "latent"')

const ofKind: Readonly<Record<DenoiserDescription['kind'], t.Validate<unknown, DenoiserDescription>>> = {
  mlp: (u, context) => MlpCodec.validate(u, context),
  unet: (u, context) => UnetCodec.validate(u, context),
  latent: (u, context) => LatentCodec.validate(u, context)
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
  (u): u is DenoiserDescription => MlpCodec.is(u) || UnetCodec.is(u) || LatentCodec.is(u),
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
export const ClassifierCodec: t.Type<ClassifierDescription, ClassifierDescription, unknown> = t.type(
  { kind: t.literal('classifier'), features: Positive, labels: Positive, hidden: Positive, blocks: Positive },
  'ClassifierDescription'
)
