/**
 * The chain that a model comes with: its own scheduler's, whatever that is.
 *
 * @since 0.1.0
 */
import { refuse, type SamplerRow } from '../SamplerRow.js'

/**
 * `own` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'own'> = {
  name: 'own',
  prose: "the chain that a model's file comes with, such as its scheduler's (`eta`)",
  build: ({ own }, options) =>
    own === undefined
      ? refuse('chain.kind', "a model that comes with a chain, for 'own'", 'one that comes with none', "choose 'ddim'")
      : own.build(own.network, options)
}
