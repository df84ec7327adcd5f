/**
 * Who beats whom: the claims of the paper's tables of methods, and ours.
 *
 * @since 0.1.0
 */
import type { Claim, Contrast } from '../../Claims.js'
import type { Condition } from '../../Study.js'
import * as C from '../Conditions.js'
import { atItsRate } from '../LearningRate.js'
import { asOn, asOnFaces, leaves, more, printed, type Why, zerothOrder } from './Words.js'

const short =
  'a cell at the last step alone has little to change there: the glasses are decided further up, and its steps drift'

const quiet = 'the price can only be paid by a gradient that is quiet enough to get to the reward while it is paid'

const late = 'gradients through the whole chain are those of rare samples: see *pathwise*'

/** On faces and on points, with what is to be known of either. */
const method = (
  says: string,
  paper: string | undefined,
  contrast: Contrast,
  why: Why = {},
  onPoints: Why = {}
): ReadonlyArray<Claim> => [
  { says, paper, study: 'methods', task: 'faces', contrast, why },
  { says, paper, study: 'methods', task: 'points', contrast: asOn(true, contrast), why: onPoints }
]

/** What a rate of ten times the default does to everyone. */
const unpaid: Why = {
  'not reproduced':
    'where leaving the base costs nothing, a large enough rate has the reward by most methods, and much of the diversity goes: what tells them apart is how far they went for it'
}

/** On faces, where leaving the base costs 0.1 a nat, and where it costs nothing. */
const atOwnRates = (
  says: string,
  paper: string | undefined,
  of: Condition,
  over: Condition,
  why: Why = {}
): ReadonlyArray<Claim> =>
  [
    { task: 'faces', rule: 'at a price', reasons: why },
    { task: 'faces-unpriced', rule: 'without a price', reasons: unpaid }
  ].map(({ task, rule, reasons }) => ({
    says: `${says}, each at its own learning rate, ${rule}`,
    paper,
    study: 'learning-rate',
    task,
    contrast: asOn(rule === 'at a price', {
      _tag: 'Tuned',
      quantity: 'heldOut',
      of: atItsRate(of),
      over: atItsRate(over)
    }),
    why: reasons
  }))

/**
 * Claims of methods, at one learning rate and each at its own.
 *
 * @category table
 * @since 0.1.0
 */
export const ofMethods: ReadonlyArray<Claim> = [
  ...method(
    'RLR improves on the base model',
    '76.6 against 32.9 (table 1, ImageReward)',
    more(printed, C.base.name),
    {
      reproduced: 'it is unbiased, and slow'
    },
    asOnFaces('reproduced')
  ),
  ...method(
    'RLR beats reinforcement learning',
    '76.6 against 52.1, DDPO',
    more(printed, C.reinforce.name),
    {
      refuted: zerothOrder
    },
    asOnFaces('refuted')
  ),
  ...method(
    'RLR beats reinforcement learning as released',
    '76.6 against 52.1, DDPO',
    more(printed, C.ddpo.name),
    {
      refuted: `${zerothOrder}. DDPO’s clipped ratios cost it some of what plain scores have`
    },
    asOnFaces('refuted')
  ),
  ...method(
    'RLR beats truncated backpropagation',
    '76.6 against 67.2, AlignProp',
    more(printed, C.randomTruncation.name),
    { reproduced: late, 'not reproduced': `at this budget both have begun to rise: ${late}` },
    {
      refuted:
        'the field of points is smooth: gradients through many steps are quiet there, and what is left out is little'
    }
  ),
  ...method(
    'RLR beats the shortest truncation',
    'as AlignProp',
    more(printed, C.truncated(1).name),
    {
      reproduced: short,
      'not reproduced': short
    },
    { reproduced: leaves }
  ),
  ...method(
    'half-order cells with the clean prediction as baseline beat RLR as printed',
    undefined,
    more(C.clean.name, printed),
    {
      reproduced:
        'every step is scored, and what the chain predicts of its own end is taken off: near the output next to nothing is left of the variance (*steps*)'
    },
    asOnFaces('reproduced')
  ),
  ...method(
    'RLR with a half-order rest beats RLR as printed',
    undefined,
    more(C.halfOrderRest.name, printed),
    {
      reproduced: 'the same, with a segment of two steps: it makes no difference that shows'
    },
    asOnFaces('reproduced')
  ),
  ...method(
    'Diffusion NFT, a loss of the forward process, beats RLR as printed',
    undefined,
    more(C.nft.name, printed),
    {
      reproduced: 'it learns from every noised form of its samples, and nothing goes back through the chain'
    },
    { reproduced: 'it can not be told of the price, and stays near the data by what it is' }
  ),
  ...atOwnRates('RLR beats reinforcement learning', '76.6 against 52.1, DDPO', C.asPrinted, C.reinforce, {
    refuted: zerothOrder
  }),
  ...atOwnRates(
    'RLR beats truncated backpropagation',
    '76.6 against 67.2, AlignProp',
    C.asPrinted,
    C.randomTruncation,
    {
      'not reproduced': `both are noisy; of the other one ${late}`
    }
  ),
  ...atOwnRates('RLR beats the shortest truncation', 'as AlignProp', C.asPrinted, C.truncated(1), {
    reproduced: short,
    'not reproduced': short
  }),
  ...atOwnRates('RLR beats full backpropagation', 'whose Jacobians explode', C.asPrinted, C.full, {
    reproduced: late,
    'not reproduced': `both are noisy; of the other one ${late}`
  }),
  ...atOwnRates(
    'half-order cells with the clean prediction as baseline beat RLR as printed',
    undefined,
    C.clean,
    C.asPrinted,
    { reproduced: quiet }
  ),
  ...atOwnRates(
    'half-order cells with the clean prediction as baseline beat REINFORCE',
    undefined,
    C.clean,
    C.reinforce,
    { reproduced: quiet }
  )
]
