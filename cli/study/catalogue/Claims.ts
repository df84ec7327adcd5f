/**
 * The claims that are put to the test, in the order of the paper's tables and figures.
 *
 * @since 0.1.0
 */
import type { Claim, Contrast } from '../Claims.js'
import * as C from './Conditions.js'

const more = (of: string, over: string, quantity: 'heldOut' | 'diversity' = 'heldOut', after = 1): Contrast => ({
  _tag: 'Finetunes',
  quantity,
  of,
  over,
  after
})

const method = (
  says: string,
  paper: string | undefined,
  contrast: Contrast,
  why: Claim['why'] = {}
): ReadonlyArray<Claim> => ['faces', 'points'].map((task) => ({ says, paper, study: 'methods', task, contrast, why }))

const { name: printed } = C.asPrinted

/**
 * All claims.
 *
 * @category table
 * @since 0.1.0
 */
export const claims: ReadonlyArray<Claim> = [
  ...method('RLR improves on the base model', '76.6 against 32.9 (table 1, ImageReward)', more(printed, C.base.name)),
  ...method('RLR beats reinforcement learning', '76.6 against 52.1, DDPO', more(printed, C.reinforce.name)),
  ...method('RLR beats reinforcement learning as released', '76.6 against 52.1, DDPO', more(printed, C.ddpo.name)),
  ...method(
    'RLR beats truncated backpropagation',
    '76.6 against 67.2, AlignProp',
    more(printed, C.randomTruncation.name)
  ),
  ...method('RLR beats the shortest truncation', 'as AlignProp', more(printed, C.truncated(1).name)),
  ...method(
    'half-order cells with the clean prediction as baseline beat RLR as printed',
    undefined,
    more(C.clean.name, printed)
  ),
  ...method('RLR with a half-order rest beats RLR as printed', undefined, more(C.halfOrderRest.name, printed)),
  ...['faces', 'points'].flatMap((task): ReadonlyArray<Claim> => {
    const part = (says: string, paper: string, of: string, over: string): Claim => ({
      says,
      paper,
      study: 'ablation',
      task,
      contrast: more(of, over),
      why: {}
    })
    const [v1, v2, v3] = ['V1: first-order alone', 'V2: no zeroth-order cell', 'V3: no half-order cell']
    return [
      part('the whole beats first-order alone', '76.6 against 60.1 (table 5, ImageReward)', printed, v1 ?? ''),
      part('the zeroth-order cell helps', '76.6 against 68.4', printed, v2 ?? ''),
      part('the half-order cell helps', '76.6 against 63.9', printed, v3 ?? ''),
      part('the biased V2 beats the unbiased V3', '68.4 against 63.9', v2 ?? '', v3 ?? '')
    ]
  }),
  {
    says: 'a segment of two beats one of one',
    paper: 'rises with h, little past 2 (table 9)',
    study: 'segment-length',
    task: 'faces',
    contrast: more('h = 2', 'h = 1'),
    why: {}
  },
  {
    says: 'a segment of eight beats one of two',
    paper: 'little, past h = 2',
    study: 'segment-length',
    task: 'faces',
    contrast: more('h = 8', 'h = 2'),
    why: {}
  },
  ...['faces', 'points'].flatMap(
    (task): ReadonlyArray<Claim> => [
      {
        says: 'truncation at the last step gives up diversity',
        paper: 'collapses (figure 3)',
        study: 'collapse',
        task,
        contrast: { _tag: 'Course', quantity: 'diversity', of: C.truncated(1).name, since: 0, falls: true },
        why: {}
      },
      {
        says: 'its held-out reward falls again in the long run',
        paper: 'falls within 300 steps (figure 3)',
        study: 'collapse',
        task,
        contrast: { _tag: 'Course', quantity: 'heldOut', of: C.truncated(1).name, since: 1 / 3, falls: true },
        why: {}
      },
      {
        says: 'the fewer steps are kept, the less diverse',
        paper: 'the fewer, the earlier (figure 3)',
        study: 'collapse',
        task,
        contrast: more(C.truncated(10).name, C.truncated(1).name, 'diversity'),
        why: {}
      }
    ]
  ),
  {
    says: 'truncated backpropagation is as fast as RLR at first',
    paper: 'its curves',
    study: 'sample-efficiency',
    task: 'faces',
    contrast: more(C.truncated(1).name, printed, 'heldOut', 1 / 8),
    why: {}
  },
  {
    says: 'RLR ends above it',
    paper: 'its curves',
    study: 'sample-efficiency',
    task: 'faces',
    contrast: more(printed, C.truncated(1).name),
    why: {}
  },
  {
    says: 'reinforcement learning is slower than RLR',
    paper: 'its curves',
    study: 'sample-efficiency',
    task: 'faces',
    contrast: more(printed, C.reinforce.name, 'heldOut', 1 / 4),
    why: {}
  },
  {
    says: 'aiming the segment at the deficient third helps',
    paper: '49.9 against 43.1 (diffusive chain of thought)',
    study: 'stages',
    task: 'faces',
    contrast: more('by stage, aimed at the second third', 'by stage, not aimed'),
    why: {}
  },
  {
    says: 'aiming it elsewhere does not',
    paper: 'implied',
    study: 'stages',
    task: 'faces',
    contrast: more('by stage, aimed at the second third', 'by stage, aimed at the third next to the output'),
    why: {}
  },
  {
    says: 'first-order estimates vary less than zeroth-order ones',
    paper: 'proposition 6.2',
    study: 'dimension',
    task: 'faces',
    contrast: {
      _tag: 'Estimates',
      quantity: 'variance',
      under: 'soft prompt',
      of: 'evolution strategies, central',
      over: 'full backpropagation(recompute)'
    },
    why: {}
  },
  ...['faces', 'points'].map(
    (task): Claim => ({
      says: 'the tail of full backpropagation is heavier on long chains: its tail index at T = 50 is below 2',
      paper: undefined,
      study: 'pathwise',
      task,
      contrast: {
        _tag: 'Estimates',
        quantity: 'tailIndex',
        under: 'T = 50',
        of: 2,
        over: 'full backpropagation(recompute)'
      },
      why: {}
    })
  )
]
