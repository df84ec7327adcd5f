/**
 * Where a half-order segment should start.
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'

const from = (name: string, start: readonly [number, number] | null): Condition => ({
  name,
  config: { estimator: { name: 'rlr', baseline: 'none', start } }
})

/** @category studies @since 0.1.0 */
export const start: Study = {
  _tag: 'Finetunes',
  name: 'start',
  question:
    'Does it matter where the half-order segment may start: anywhere, near the output, in the middle, near the noise?',
  paper: 'the start is uniform; reviewers asked for others',
  varied: 'start',
  on: {
    faces: Bases.having({}, { chain: { T: 20 } })(Bases.faces),
    points: Bases.having({}, { chain: { T: 20 } })(Bases.points)
  },
  conditions: [
    from('anywhere', null),
    from('steps 2 to 7', [2, 7]),
    from('steps 8 to 13', [8, 13]),
    from('steps 14 to 19', [14, 19])
  ],
  against: 'anywhere',
  marks: [0.25, 0.5],
  plots: [{ x: 'cost', y: 'heldOut' }]
}
