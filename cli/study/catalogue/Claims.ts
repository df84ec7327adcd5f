/**
 * The claims that are put to the test, in the order of the paper's tables and figures.
 *
 * @since 0.1.0
 */
import type { Claim, Contrast } from '../Claims.js'
import type { Condition, Quantity } from '../Study.js'
import * as C from './Conditions.js'
import { atItsRate } from './LearningRate.js'

const more = (of: string, over: string, quantity: Quantity = 'heldOut', after = 1): Contrast => ({
  _tag: 'Finetunes',
  quantity,
  of,
  over,
  after
})

type Why = Claim['why']

/** Where RLR as printed falls behind: see the variances by cell of the study `dimension`. */
const zerothOrder =
  'the zeroth-order cell, which pays for nearly all steps, has most of the variance and of the evaluations: see the variance by cell of *dimension*'

const short =
  'a cell at the last step alone has little to change there: the glasses are decided further up, and its steps drift'

const late = 'gradients through the whole chain are those of rare samples: see *pathwise*'

/** Leaving the base has a price on points and with adapters: there what is raised is the reward less that price. */
const asOn = (task: string, contrast: Contrast): Contrast =>
  task !== 'faces' && (contrast._tag === 'Finetunes' || contrast._tag === 'Tuned')
    ? { ...contrast, quantity: 'objective' }
    : contrast

/** On faces, by a soft prompt and by adapters of the U-Net, and on points, with what is to be known of each. */
const method = (
  says: string,
  paper: string | undefined,
  contrast: Contrast,
  why: Why = {},
  onPoints: Why = {},
  onAdapters: Why = {}
): ReadonlyArray<Claim> => [
  { says, paper, study: 'methods', task: 'faces', contrast, why },
  { says, paper, study: 'methods', task: 'unet-lora', contrast: asOn('unet-lora', contrast), why: onAdapters },
  { says, paper, study: 'methods', task: 'points', contrast: asOn('points', contrast), why: onPoints }
]

const { name: printed } = C.asPrinted

const atOwnRates = (
  says: string,
  paper: string | undefined,
  of: Condition,
  over: Condition,
  why: Why = {},
  onPoints: Why = {}
): ReadonlyArray<Claim> =>
  ['faces', 'points'].map((task) => ({
    says: `${says}, each at its own learning rate`,
    paper,
    study: 'learning-rate',
    task,
    contrast: asOn(task, { _tag: 'Tuned', quantity: 'heldOut', of: atItsRate(of), over: atItsRate(over) }),
    why: task === 'points' ? onPoints : why
  }))

const onVideo = (says: string, paper: string | undefined, contrast: Contrast, why: Why = {}): Claim => ({
  says: `${says}, on video`,
  paper,
  study: 'video',
  task: 'clips',
  contrast,
  why
})

/**
 * All claims.
 *
 * @category table
 * @since 0.1.0
 */
export const claims: ReadonlyArray<Claim> = [
  ...method('RLR improves on the base model', '76.6 against 32.9 (table 1, ImageReward)', more(printed, C.base.name), {
    reproduced: 'it is unbiased, and slow'
  }),
  ...method('RLR beats reinforcement learning', '76.6 against 52.1, DDPO', more(printed, C.reinforce.name), {
    refuted: zerothOrder
  }),
  ...method('RLR beats reinforcement learning as released', '76.6 against 52.1, DDPO', more(printed, C.ddpo.name), {
    refuted: `${zerothOrder}. DDPO’s clipped ratios cost it some of what plain scores have`
  }),
  ...method(
    'RLR beats truncated backpropagation',
    '76.6 against 67.2, AlignProp',
    more(printed, C.randomTruncation.name),
    { reproduced: late, 'not reproduced': `at this budget both have begun to rise: ${late}` }
  ),
  ...method('RLR beats the shortest truncation', 'as AlignProp', more(printed, C.truncated(1).name), {
    reproduced: short,
    'not reproduced': short
  }),
  ...method(
    'half-order cells with the clean prediction as baseline beat RLR as printed',
    undefined,
    more(C.clean.name, printed),
    {
      reproduced:
        'every step is scored, and what the chain predicts of its own end is taken off: near the output next to nothing is left of the variance (*steps*)'
    }
  ),
  ...method('RLR with a half-order rest beats RLR as printed', undefined, more(C.halfOrderRest.name, printed), {
    reproduced: 'the same, with a segment of two steps: it makes no difference that shows'
  }),
  ...method('Diffusion NFT, a loss of the forward process, beats RLR as printed', undefined, more(C.nft.name, printed)),
  ...atOwnRates('RLR beats reinforcement learning', '76.6 against 52.1, DDPO', C.asPrinted, C.reinforce),
  ...atOwnRates('RLR beats truncated backpropagation', '76.6 against 67.2, AlignProp', C.asPrinted, C.randomTruncation),
  ...atOwnRates('RLR beats the shortest truncation', 'as AlignProp', C.asPrinted, C.truncated(1)),
  ...atOwnRates('RLR beats full backpropagation', 'whose Jacobians explode', C.asPrinted, C.full),
  ...atOwnRates(
    'half-order cells with the clean prediction as baseline beat RLR as printed',
    undefined,
    C.clean,
    C.asPrinted
  ),
  ...atOwnRates(
    'half-order cells with the clean prediction as baseline beat REINFORCE',
    undefined,
    C.clean,
    C.reinforce
  ),
  ...['faces', 'points'].flatMap((task): ReadonlyArray<Claim> => {
    const [v1, v2, v3] = ['V1: first-order alone', 'V2: no zeroth-order cell', 'V3: no half-order cell'] as const
    const part = (says: string, paper: string, of: string, over: string, why: Why, onPoints: Why = {}): Claim => ({
      says,
      paper,
      study: 'ablation',
      task,
      contrast: asOn(task, more(of, over)),
      why: task === 'points' ? onPoints : why
    })
    return [
      part('the whole beats first-order alone', '76.6 against 60.1 (table 5, ImageReward)', printed, v1, {
        'not reproduced': 'neither gets far at this budget'
      }),
      part('the zeroth-order cell helps', '76.6 against 68.4', printed, v2, {
        refuted:
          'it makes RLR unbiased and costs two rollouts of three, and its noise drowns the half-order cell: bias is the cheaper of the two'
      }),
      part('the half-order cell helps', '76.6 against 63.9', printed, v3, {
        reproduced: 'it brings nearly all of the signal'
      }),
      part('the biased V2 beats the unbiased V3', '68.4 against 63.9', v2, v3, {
        reproduced: 'as in the paper, whose text concludes that it is unbiasedness that matters'
      })
    ]
  }),
  {
    says: 'a segment of two beats one of one',
    paper: 'rises with h, little past 2 (table 9)',
    study: 'segment-length',
    task: 'faces',
    contrast: more('h = 2', 'h = 1'),
    why: {
      'not reproduced':
        'the zeroth-order rest has most of the variance whatever h is, and longer segments cost more pullbacks'
    }
  },
  {
    says: 'a segment of eight beats one of two',
    paper: 'little, past h = 2',
    study: 'segment-length',
    task: 'faces',
    contrast: more('h = 8', 'h = 2'),
    why: {
      'not reproduced':
        'the zeroth-order rest has most of the variance whatever h is, and longer segments cost more pullbacks'
    }
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
    says: 'prompts by stage, with the segment aimed at the deficient third, beat one prompt for all steps',
    paper: '49.9 against 43.1 (diffusive chain of thought)',
    study: 'stages',
    task: 'faces',
    contrast: more('by stage, aimed at the second third', 'one prompt, not aimed'),
    why: {
      refuted:
        'the reward looks at the whole prompt: told it in parts, the base model begins far below itself told at once, and has not made it up'
    }
  },
  {
    says: 'aiming the segment at the deficient third helps',
    paper: 'in the text',
    study: 'stages',
    task: 'faces',
    contrast: more('by stage, aimed at the second third', 'by stage, not aimed'),
    why: {
      'not reproduced':
        'where the one half-order cell is does not matter much beside what the zeroth-order cell does to all'
    }
  },
  {
    says: 'aiming it elsewhere is worse',
    paper: 'implied',
    study: 'stages',
    task: 'faces',
    contrast: more('by stage, aimed at the second third', 'by stage, aimed at the third next to the output'),
    why: { 'not reproduced': 'as before' }
  },
  onVideo(
    'RLR beats truncated backpropagation',
    '84.63 against 83.45, VADER (VBench, average)',
    more(printed, C.truncated(1).name),
    {
      refuted:
        'one step is enough for glasses there, and half of the diversity goes; what the zeroth-order cell adds is noise'
    }
  ),
  onVideo('RLR beats reinforcement learning', '84.63 against 80.78, DDPO', more(printed, C.reinforce.name), {
    refuted: 'as on faces'
  }),
  onVideo(
    'half-order cells with the clean prediction as baseline beat RLR as printed',
    undefined,
    more(C.clean.name, printed),
    { reproduced: 'as on faces' }
  ),
  onVideo(
    'they keep more of the diversity than truncation does',
    undefined,
    more(C.clean.name, C.truncated(1).name, 'diversity'),
    { reproduced: 'truncation loses half of it' }
  ),
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
  {
    says: 'segments that start anywhere beat those that start near the output',
    paper: 'the start is uniform; others are not compared',
    study: 'start',
    task: 'faces',
    contrast: more('anywhere', 'steps 2 to 7'),
    why: {}
  },
  {
    says: 'RLR beats reinforcement learning where the reward is a black box',
    paper: 'said of zeroth-order cells',
    study: 'black-box',
    task: 'faces',
    contrast: more(printed, C.reinforce.name, 'reward'),
    why: {}
  },
  {
    says: 'half-order cells with the clean prediction as baseline beat REINFORCE where the reward is a black box',
    paper: undefined,
    study: 'black-box',
    task: 'faces',
    contrast: more(C.clean.name, C.reinforce.name, 'reward'),
    why: {}
  },
  {
    says: 'a price of 0.1 a nat keeps diversity',
    paper: undefined,
    study: 'kl',
    task: 'faces',
    contrast: more('beta = 0.1', 'beta = 0', 'diversity'),
    why: {}
  },
  ...['ddim', 'ddpm', 'edm', 'consistency', 'flow-sde', 'flow-cps', 'flow-dance'].map(
    (of): Claim => ({
      says: `RLR with a half-order rest raises the reward on the chain ${of}`,
      paper: of === 'ddim' ? 'all of its results' : 'left to later work',
      study: 'chains',
      task: 'faces',
      contrast: { _tag: 'Course', quantity: 'heldOut', of, since: 0, falls: false },
      why: {}
    })
  ),
  ...['faces', 'points'].map(
    (task): Claim => ({
      says: 'the gradient of full backpropagation through 50 steps has no variance: its tail index is below 2',
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
      why:
        task === 'faces'
          ? {
              reproduced:
                'it is 1 to 1.2 at every T from 5 on: the mean is that of rare samples, so that its slope in 512 others is a tenth of that of finite differences, or of the wrong sign'
            }
          : { 'not reproduced': 'the field of points is smooth: the index is about 2 from ten steps on' }
    })
  )
]
