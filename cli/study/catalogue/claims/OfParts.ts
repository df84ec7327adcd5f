/**
 * What each part of RLR, each length and each kind of noise does: the claims of the paper's other tables and figures, and ours.
 *
 * @since 0.1.0
 */
import type { Claim, Contrast } from '../../Claims.js'
import * as C from '../Conditions.js'
import { asOn, asOnFaces, leaves, more, printed, type Why, zerothOrder } from './Words.js'

const onVideo = (says: string, paper: string | undefined, contrast: Contrast, why: Why = {}): Claim => ({
  says: `${says}, on video`,
  paper,
  study: 'video',
  task: 'clips',
  contrast,
  why
})

/**
 * Claims of parts, lengths, courses, prompts by stage, video, starts, prices, chains and tails.
 *
 * @category table
 * @since 0.1.0
 */
export const ofParts: ReadonlyArray<Claim> = [
  ...['faces', 'points'].flatMap((task): ReadonlyArray<Claim> => {
    const [v1, v2, v3] = ['V1: first-order alone', 'V2: no zeroth-order cell', 'V3: no half-order cell'] as const
    const part = (says: string, paper: string, of: string, over: string, why: Why, onPoints: Why = {}): Claim => ({
      says,
      paper,
      study: 'ablation',
      task,
      contrast: asOn(task === 'points', more(of, over)),
      why: task === 'points' ? onPoints : why
    })
    return [
      part(
        'the whole beats first-order alone',
        '76.6 against 60.1 (table 5, ImageReward)',
        printed,
        v1,
        {
          'not reproduced': 'neither gets far at this budget'
        },
        { reproduced: leaves }
      ),
      part(
        'the zeroth-order cell helps',
        '76.6 against 68.4',
        printed,
        v2,
        {
          refuted:
            'it makes RLR unbiased and costs two rollouts of three, and its noise drowns the half-order cell: bias is the cheaper of the two'
        },
        { 'not reproduced': 'without it three seeds are far above it, and two have left the data' }
      ),
      part(
        'the half-order cell helps',
        '76.6 against 63.9',
        printed,
        v3,
        {
          reproduced: 'it brings nearly all of the signal'
        },
        asOnFaces('reproduced')
      ),
      part(
        'the biased V2 beats the unbiased V3',
        '68.4 against 63.9',
        v2,
        v3,
        {
          reproduced: 'as in the paper, whose text concludes that it is unbiasedness that matters'
        },
        { 'not reproduced': 'for the same two seeds' }
      )
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
        why: { reproduced: 'in the end all samples are one' }
      },
      {
        says: 'its held-out reward falls again in the long run',
        paper: 'falls within 300 steps (figure 3)',
        study: 'collapse',
        task,
        contrast: { _tag: 'Course', quantity: 'heldOut', of: C.truncated(1).name, since: 1 / 3, falls: true },
        why: {
          'not reproduced':
            'what is lost is the others: a judge that reads the same attribute in other pixels agrees to the end',
          reproduced:
            'its reward has no bound and nothing is paid: the judge, which looks at the data, is left far behind'
        }
      },
      {
        says: 'the fewer steps are kept, the less diverse',
        paper: 'the fewer, the earlier (figure 3)',
        study: 'collapse',
        task,
        contrast: more(C.truncated(10).name, C.truncated(1).name, 'diversity'),
        why: {
          reproduced: 'as in the paper',
          refuted: 'with a reward without a bound and no price samples of every length end in one point'
        }
      }
    ]
  ),
  {
    says: 'truncated backpropagation is as fast as RLR at first',
    paper: 'its curves',
    study: 'sample-efficiency',
    task: 'faces',
    contrast: more(C.truncated(1).name, printed, 'heldOut', 1 / 8),
    why: { 'not reproduced': 'neither has moved by then' }
  },
  {
    says: 'RLR ends above it',
    paper: 'its curves',
    study: 'sample-efficiency',
    task: 'faces',
    contrast: more(printed, C.truncated(1).name),
    why: {
      'not reproduced': 'both have the reward by the end; of what truncation draws all samples are alike (*collapse*)'
    }
  },
  {
    says: 'reinforcement learning is slower than RLR',
    paper: 'its curves',
    study: 'sample-efficiency',
    task: 'faces',
    contrast: more(printed, C.reinforce.name, 'heldOut', 1 / 4),
    why: { refuted: zerothOrder }
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
    why: {
      reproduced: 'in what 512 samples show: its tail is heavy, and its slope is not that of the reward (*pathwise*)'
    }
  },
  {
    says: 'segments that start anywhere beat those that start near the output',
    paper: 'the start is uniform; others are not compared',
    study: 'start',
    task: 'faces',
    contrast: more('anywhere', 'steps 2 to 7'),
    why: { 'not reproduced': 'wherever the segment is, the zeroth-order rest has most of the variance' }
  },
  {
    says: 'RLR beats reinforcement learning where the reward is a black box',
    paper: 'said of zeroth-order cells',
    study: 'black-box',
    task: 'faces',
    contrast: more(printed, C.reinforce.name, 'reward'),
    why: { refuted: zerothOrder }
  },
  {
    says: 'half-order cells with the clean prediction as baseline beat REINFORCE where the reward is a black box',
    paper: undefined,
    study: 'black-box',
    task: 'faces',
    contrast: more(C.clean.name, C.reinforce.name, 'reward'),
    why: { reproduced: 'the baseline asks for values alone, too: one more of each sample' }
  },
  {
    says: 'a price of 0.1 a nat keeps the chain nearer to the base',
    paper: undefined,
    study: 'kl',
    task: 'faces',
    contrast: more('beta = 0', 'beta = 0.1', 'kl'),
    why: { reproduced: 'at no cost in reward' }
  },
  {
    says: 'it keeps diversity',
    paper: undefined,
    study: 'kl',
    task: 'faces',
    contrast: more('beta = 0.1', 'beta = 0', 'diversity'),
    why: { reproduced: 'little: in this budget not much is lost without it' }
  },
  ...['ddim', 'ddpm', 'edm', 'consistency', 'flow-sde', 'flow-cps', 'flow-dance'].map(
    (of): Claim => ({
      says: `RLR with a half-order rest raises the reward on the chain ${of}`,
      paper: of === 'ddim' ? 'all of its results' : 'left to later work',
      study: 'chains',
      task: 'faces',
      contrast: { _tag: 'Course', quantity: 'heldOut', of, since: 0, falls: false },
      why: { reproduced: 'every step that has noise can be scored' }
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
                'it is about 1 at every T from 5 on: the mean is that of rare samples, and at 10 and 20 steps the slope in others is far from that of finite differences'
            }
          : { 'not reproduced': 'the field of points is smooth: the index is about 2 from ten steps on' }
    })
  )
]
