/**
 * Descriptions of networks: what has to be known, beside its parameters, to rebuild one. They are stored with the
 * parameters, as JSON.
 *
 * @since 0.1.0
 */
import * as t from 'io-ts'

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
  readonly share: 'cosine' | 'linear'
}

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
 * Decodes the description of a denoiser.
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
    share: t.union([t.literal('cosine'), t.literal('linear')])
  },
  'MlpDescription'
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
