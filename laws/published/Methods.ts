/**
 * Published methods of fine-tuning diffusion models, as their code was released: what each pays of which step.
 *
 * Each is a mixture of covers with its departures, on a chain of `T` steps, step 1 next to the output. Numbers of steps are those of
 * the code, in proportion to `T`. What a method does that no cell pays for (a loss on another distribution, a Jacobian that is cut)
 * has no cover, and says so.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as C from '../../src/estimator/Cover.js'
import type { Carrier, Cell, CoverError } from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import type { Departure } from '../../src/estimator/reading/Ledger.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The chain that a method is laid out on: its steps, the numbers of a state, and the deviations of its noise, that of step 1 first.
 *
 * @category model
 * @since 0.1.0
 */
export interface Layout {
  readonly T: number
  readonly elements: number
  readonly sigma: ReadonlyArray<number>
}

/**
 * A method. `code` is the repository with the commit that was read. `covers` has its cells, or says in words why it has none. Of one
 * whose steps' terms are all replaced, `carried` is what carries cotangents in the place of the chain.
 *
 * @category model
 * @since 0.1.0
 */
export interface Method {
  readonly name: string
  readonly paper: string
  readonly code: string
  readonly covers: ((layout: Layout) => E.Either<CoverError, Estimator>) | string
  readonly carried?: Carrier
  readonly departures: (layout: Layout) => ReadonlyArray<Departure>
  readonly remarks: string
}

// -------------------------------------------------------------------------------------
// parts
// -------------------------------------------------------------------------------------

/** Draws of cells with weights, each of which need pay for nothing in full. */
const mixture = (
  name: string,
  T: number,
  draws: ReadonlyArray<readonly [weight: number, cells: ReadonlyArray<Cell>]>
): E.Either<CoverError, Estimator> =>
  pipe(
    draws,
    RA.traverse(E.Applicative)(([weight, cells]) =>
      pipe(
        C.portion(T, cells),
        E.map((cover) => ({ weight, cover }))
      )
    ),
    E.flatMap((covers) => Est.mixtureOf(name, covers))
  )

/** Likelihood ratios on single steps, each counted as often as is said. */
const scores = (steps: ReadonlyArray<number>, share: (t: number) => number = () => 1): ReadonlyArray<Cell> =>
  steps.map((t) => C.halfOrder(t, t, { shares: [share(t)] }))

/** A window of so many steps that starts at any place alike. */
const windows =
  (name: string, size: number) =>
  ({ T }: Layout): E.Either<CoverError, Estimator> =>
    mixture(
      name,
      T,
      C.range(1, T - size + 1).map((from) => [1, scores(C.range(from, from + size - 1))] as const)
    )

/** What trainers after ddpo-pytorch have in common, for groups of so many samples. */
const groupPolicy =
  (group: number, clip: number, over: 'batch' | 'group') =>
  (averaged: (T: number) => number) =>
  ({ T, elements }: Layout): ReadonlyArray<Departure> => [
    { _tag: 'MeanDensity', elements },
    { _tag: 'AveragedSteps', steps: averaged(T) },
    { _tag: 'OwnBaseline', group },
    { _tag: 'Normalised', over },
    { _tag: 'ClippedAdvantage', limit: 5 },
    { _tag: 'ClippedRatio', low: clip, high: clip },
    { _tag: 'ClippedGradient', norm: 1 }
  ]

/** A part of `n` steps, as the code takes it: rounded down. */
const part = (share: number, n: number): number => Math.floor(share * n + 1e-9)

/** Steps above the last one, which these trainers drop. */
const allButLast = (T: number): ReadonlyArray<number> => C.range(2, T)

// -------------------------------------------------------------------------------------
// methods
// -------------------------------------------------------------------------------------

/**
 * The methods.
 *
 * @category constants
 * @since 0.1.0
 */
export const methods: ReadonlyArray<Method> = [
  {
    name: 'DDPO',
    paper: '2305.13301',
    code: 'kvablack/ddpo-pytorch@1958463',
    covers: ({ T }) => mixture('DDPO', T, [[1, scores(C.range(1, T))]]),
    departures: groupPolicy(16, 1e-4, 'group')((T) => T),
    remarks: 'advantages from a buffer of 16 or 32 earlier rewards of the prompt, which has the newest in it'
  },
  {
    name: 'DDPO in TRL',
    paper: '2305.13301',
    code: 'huggingface/trl@1d0b196',
    covers: ({ T }) => mixture('DDPO in TRL', T, [[1, scores(C.range(1, T))]]),
    departures: groupPolicy(32, 1e-4, 'batch')((T) => T),
    remarks: 'by default advantages are over the whole batch, whatever the prompts'
  },
  {
    name: 'DPOK',
    paper: '2305.16381',
    code: 'google-research/google-research, dpok',
    covers: ({ T }) =>
      mixture(
        'DPOK',
        T,
        C.range(1, T).map((t) => [1, scores([t])] as const)
      ),
    departures: ({ elements }) => [
      { _tag: 'MeanDensity', elements },
      { _tag: 'ClippedRatio', low: 1e-4, high: 1e-4 },
      { _tag: 'StepwiseUpdates' },
      { _tag: 'ClippedGradient', norm: 0.1 }
    ],
    remarks:
      'random transitions of up to three rollouts; a learned baseline of the state; the squared change of the noise prediction in place of the KL'
  },
  {
    name: 'Flow-GRPO',
    paper: '2505.05470',
    code: 'yifan123/flow_grpo@ac4c86e',
    covers: ({ T }) => mixture('Flow-GRPO', T, [[1, scores(allButLast(T))]]),
    departures: groupPolicy(24, 1e-4, 'batch')((T) => T - 1),
    remarks: 'the last step is never trained; the KL is a loss, of the mean over elements'
  },
  {
    name: 'Flow-GRPO-Fast',
    paper: '2505.05470',
    code: 'zhtmike/flow_grpo@9745241',
    covers: windows('Flow-GRPO-Fast', 2),
    departures: groupPolicy(24, 1e-5, 'batch')(() => 2),
    remarks:
      'noise in a window of two steps that is drawn anew for each batch; the other steps have none, and are not paid'
  },
  {
    name: 'DanceGRPO',
    paper: '2505.07818',
    code: 'XueZeyue/DanceGRPO@15cc71d',
    covers: ({ T }) => mixture('DanceGRPO', T, [[1, scores(allButLast(T), () => part(0.6, T - 1) / (T - 1))]]),
    departures: groupPolicy(12, 1e-4, 'group')((T) => part(0.6, T - 1)),
    remarks: 'a random 60 % of the steps but the last, for each sample; rewards are of the last prediction'
  },
  {
    name: 'MixGRPO',
    paper: '2507.21802',
    code: 'Tencent-Hunyuan/MixGRPO@e5cdd6a',
    covers: ({ T }) => mixture('MixGRPO', T, [[1, scores(C.range(T - 3, T))]]),
    departures: groupPolicy(12, 1e-4, 'group')(() => 4),
    remarks:
      'noise in a window of four steps that moves down by one in 25 iterations, and never reaches the last two; here the first'
  },
  {
    name: 'BranchGRPO',
    paper: '2509.06040',
    code: 'Fredreic1849/BranchGRPO@19fbb9f',
    covers: ({ T }) => {
      // four splits in two, in the first half of the way: so many edges at each depth, each of the same weight
      const depth = (t: number): number => T - t
      const edges = (t: number): number =>
        2 ** [0, 0.15, 0.3, 0.45].filter((at) => depth(t) >= Math.round(at * T)).length
      return mixture('BranchGRPO', T, [[1, scores(C.range(1, T), edges)]])
    },
    departures: ({ T, elements }) => [
      ...groupPolicy(16, 1e-3, 'group')(() => 11 * T)({ T, elements, sigma: [] }),
      { _tag: 'StepwiseUpdates' }
    ],
    remarks:
      'an edge of a tree has the mean of its leaves; shared edges are few and late ones many, all of one weight; split noise is four times the deviation that is scored'
  },
  {
    name: 'TempFlow-GRPO',
    paper: '2508.04324',
    code: 'Shredded-Pork/TempFlow-GRPO@e66824e',
    covers: ({ T, sigma }) => mixture('TempFlow-GRPO', T, [[1, scores(allButLast(T), (t) => sigma[t - 1] ?? 0)]]),
    departures: groupPolicy(6, 1e-4, 'group')((T) => T - 1),
    remarks:
      'one noisy step at a time, six samples of it, the rest of the way without noise; each term times the deviation of its noise'
  },
  {
    name: 'AlignProp',
    paper: '2310.03739',
    code: 'mihirp1998/AlignProp@b22918a',
    covers: ({ T }) =>
      mixture(
        'AlignProp',
        T,
        C.range(1, T).map((k) => {
          const z = ((50 * (T - k)) / T - 42) / 5
          return [Math.exp(-0.5 * z * z), [C.firstOrder(k)]] as const
        })
      ),
    departures: () => [],
    remarks: 'truncated where a normal of mean 42 and deviation 5 falls among 50 steps: about eight are kept'
  },
  {
    name: 'DRaFT-1',
    paper: '2309.17400',
    code: 'NVIDIA/NeMo-Aligner@af2b3bd (DRaFT+; no code of the authors was found)',
    covers: ({ T }) => mixture('DRaFT-1', T, [[1, [C.firstOrder(1)]]]),
    departures: () => [],
    remarks: 'the last step alone; DRaFT+ adds the squared change of the noise prediction there'
  },
  {
    name: 'VADER',
    paper: '2407.08737',
    code: 'mihirp1998/VADER@adaf2ef',
    covers: ({ T }) => mixture('VADER', T, [[1, [C.firstOrder(1)]]]),
    departures: () => [],
    remarks: 'the last step by default; `rand` keeps all steps from one that is drawn uniformly'
  },
  {
    name: 'RLR as printed',
    paper: '2502.00639, equation (6)',
    code: 'the paper',
    covers: ({ T }) =>
      mixture(
        'RLR as printed',
        T,
        C.range(1, T - 2).map((j) => {
          const dropped = C.range(j, j + 2)
          const rest = C.range(1, T).filter((t) => !dropped.includes(t))
          return [1, [C.firstOrder(1), C.halfOrder(j, j + 1), C.zerothOrder(rest)]] as const
        })
      ),
    departures: () => [],
    remarks:
      'h = 2: the zeroth-order set keeps step 1, which is paid already, and leaves step j + 2 out; see the errata'
  },
  {
    name: 'RLR as released',
    paper: '2502.00639',
    code: 'RTkenny/RLR-Optimizer@296485c',
    covers: ({ T }) =>
      mixture(
        'RLR as released',
        T,
        C.range(1, T).map((t) => [1, [C.firstOrder(1, { shares: [0.05] }), ...scores([t], () => 0.002)]] as const)
      ),
    departures: ({ elements }) => [
      { _tag: 'MeanDensity', elements },
      { _tag: 'OwnBaseline', group: 6 },
      { _tag: 'Normalised', over: 'batch' },
      { _tag: 'ClippedRatio', low: 1e-4, high: 1e-4 },
      { _tag: 'StepwiseUpdates' }
    ],
    remarks:
      'the aesthetic script: 0.05 times the last step, and twice 0.001 times one step at random, by optimizer steps of their own; the zeroth-order functions are not called'
  },
  {
    name: 'evolution strategies (EGGROLL)',
    paper: '2511.16652',
    code: 'amit154154/HyperscaleES_T2I@f77047e (not of the authors)',
    covers: ({ T }) => mixture('evolution strategies', T, [[1, [C.zerothOrder(C.range(1, T))]]]),
    departures: () => [{ _tag: 'Normalised', over: 'batch' }],
    remarks:
      'antithetic perturbations of rank one; scores are standardised, and the update is times the radius where an estimate is over it'
  },
  {
    name: 'AlignProp in TRL',
    paper: '2310.03739',
    code: 'huggingface/trl@1d0b196',
    covers:
      "the output of the network is cut off at each step by itself, with a probability that falls towards the output, and the state's own way is kept: paths through the network of a step that was cut are missing",
    departures: () => [{ _tag: 'StoppedState' }],
    remarks: 'not one place of truncation, but one draw a step'
  },
  {
    name: 'ReFL',
    paper: '2304.05977',
    code: 'THUDM/ImageReward@c1392c6',
    covers:
      'the gradient of the reward of a clean prediction at one of ten steps near the output, not of the reward of a sample; see `OneStep`',
    departures: () => [],
    remarks: 'relu(2 - reward), so that what is good enough has no gradient'
  },
  {
    name: 'DRTune',
    paper: '2405.00760',
    code: 'no code of the authors was found',
    carried: 'sampler',
    covers:
      "the network's input is cut off at each trained step and the sampler's own way is kept: a Jacobian without the network's part; `drTune` by name",
    departures: () => [{ _tag: 'StoppedState' }],
    remarks: 'some equally spaced steps, and a clean prediction at an early stop'
  },
  {
    name: 'adjoint matching',
    paper: '2409.08861',
    code: 'microsoft/soc-fine-tuning-sd@489f904',
    carried: 'reference',
    covers:
      'a regression of the control on the adjoint of the base chain: at the base its gradient is that of the objective with its KL, sample by sample, elsewhere it has the same optimum; `adjointMatching` by name',
    departures: () => [],
    remarks:
      'four of 50 steps, those next to the output one and a half times as likely; sampled with guidance, matched without'
  },
  {
    name: 'DiffusionNFT',
    paper: '2509.16117',
    code: 'NVlabs/DiffusionNFT@24af555',
    covers:
      'a regression on forward-noised samples, weighted by their advantages: a loss of the forward process, which no chain is followed for; `Forward.negativeAware` in the library',
    departures: () => [{ _tag: 'Normalised', over: 'batch' }],
    remarks: 'nine of the ten times of the sampler, in any order'
  },
  {
    name: 'FDFO',
    paper: '2603.12893',
    code: 'NVlabs/finite-difference-flow-optimization@740e22f',
    carried: 'identity',
    covers:
      'half the difference of a pair in reward over that in output, carried to every step by the identity in place of the Jacobian; `fdfo` by name',
    departures: () => [],
    remarks: 'all steps of both samples, by a ratio of surrogates with a penalty'
  }
]
