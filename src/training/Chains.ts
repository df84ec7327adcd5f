/**
 * The chains that a configuration may name, on any base model.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { withoutLastNoise } from '../chain/Chain.js'
import { guided } from '../chain/Denoiser.js'
import { samplers } from '../chain/sampler/All.gen.js'
import type { Base, Options, RowChain } from '../chain/SamplerRow.js'
import { type DocumentError, fault } from '../document/Document.js'

/**
 * The name of a chain.
 *
 * @category model
 * @since 0.1.0
 */
export type ChainName = (typeof samplers)[number]['name']

/**
 * A chain by name, with its options: a `clip` of 0 is none, and without `lastNoise` step 1 has no noise.
 *
 * @category model
 * @since 0.1.0
 */
export interface NamedChain extends Options {
  readonly kind: ChainName
  readonly clip: number
  readonly lastNoise: boolean
}

/**
 * The names of all chains.
 *
 * @category table
 * @since 0.1.0
 */
export const names: ReadonlyArray<ChainName> = samplers.map(({ name }) => name)

/**
 * The chain of a name and its options on a base, with guidance. Left: a chain that the base cannot serve.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chain = (
  base: Base,
  { kind, clip, lastNoise, ...options }: NamedChain
): E.Either<DocumentError, RowChain> => {
  const row = samplers.find(({ name }) => name === kind)
  return row === undefined
    ? E.left(fault('chain.kind', `one of ${names.join(', ')}`, kind, 'choose one of them'))
    : pipe(
        row.build(
          { ...base, denoiser: guided(options.guidance)(base.denoiser) },
          { ...options, ...(clip === 0 ? {} : { clip }) }
        ),
        E.map((made) => (lastNoise ? made : withoutLastNoise(made)))
      )
}
