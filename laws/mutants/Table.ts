/**
 * Which law refutes which mutant.
 *
 * A trial puts one mutant to the laws of its structure, and the right one to the same: each law must hold for the
 * right one, and some law must refute the mutant. A law that refutes nothing proves nothing.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Schedule as NoiseSchedule } from '../../src/chain/Schedule.js'
import { cosine } from '../../src/chain/Schedule.js'
import * as Ch from '../../src/chain/Chain.js'
import { laplace, normal, type Noise as AnyNoise } from '../../src/chain/Noise.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import * as A from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Cover as StepCover, CoverError } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator as AnyEstimator } from '../../src/estimator/Estimator.js'
import { silu } from '../../src/lens/layer/Activation.js'
import { dense } from '../../src/lens/layer/Dense.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens as AnyLens, Params } from '../../src/lens/Lens.js'
import { layerNorm } from '../../src/lens/layer/Normalization.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import * as Chain from '../law/Chain.js'
import * as Cover from '../law/Cover.js'
import * as Estimator from '../law/Estimator.js'
import type { Interpreter } from '../../src/estimator/Gradient.js'
import { library, type Subject } from '../exact/Expectation.js'
import * as Lens from '../law/Lens.js'
import * as Noise from '../law/Noise.js'
import * as Schedule from '../law/Schedule.js'
import * as Tensor from '../law/Tensor.js'
import { linearSetting } from '../toy/LinearGaussian.js'
import { alongSetting } from '../toy/Along.js'
import { polynomialSetting } from '../toy/Polynomial.js'
import type { Verdict } from '../Verdict.js'
import { mutants as estimators, type Mutant } from './Estimators.js'
import * as M from './Others.js'
import { samplers } from './Samplers.js'
import type { Trial } from './Trial.js'
import { quadratic, valueMutants, type ValueMutant } from './Values.js'

export { markdown, outcome, type Outcome, type Trial } from './Trial.js'

// -------------------------------------------------------------------------------------
// estimators
// -------------------------------------------------------------------------------------

const right = <A>(result: E.Either<CoverError, A>): A => {
  if (E.isLeft(result)) throw new Error(C.showError(result.left))
  return result.right
}

const key = Key.make(1)

/** Four steps of a linear drift, sigma different at each, a quadratic reward. */
const four = polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.375, sigma: [0.5, 0.75, 0.625, 0.875] }, [-1, 1, -0.5])

/** One step, few enough nodes for batches of two. */
const single = polynomialSetting(1, { alpha: 0.5, a: 0.25, b: 0.375, sigma: [0.5] }, [-1, 1, -0.5])

/** Two steps in two dimensions. */
const plane = linearSetting({
  A: [
    [0.5, 0.25],
    [-0.125, 0.75]
  ],
  B: [
    [1, 0.5],
    [0.25, -1]
  ],
  c: [0.125, 0.25],
  sigma: [0.5, 0.75],
  theta: [0.25, -0.5],
  m: [1, -1],
  Q: [
    [1, 0.25],
    [0.25, 2]
  ],
  q: [0.5, 0.125]
})

const rlr = (form: C.Form): AnyEstimator => right(Catalogue.rlr({ T: 4, h: 2, form, radius: 0.25 }))

const subjectOf = ({ on }: Mutant): Subject => {
  switch (on) {
    case 'first':
      return { estimator: right(Catalogue.segmented({ T: 4, h: 2 })) }
    case 'half':
      return { estimator: right(Catalogue.segmented({ T: 4, h: 2 })) }
    case 'zeroth':
      return { estimator: rlr('central') }
    case 'onePoint':
      return { estimator: rlr('onePoint') }
    case 'baseline':
      return { estimator: right(Catalogue.reinforce(1)), advantage: A.leaveOneOut }
    case 'dimensions':
      return { estimator: right(Catalogue.reinforce(2)) }
  }
}

const estimatorLaws = (
  mutant: Mutant
): ReadonlyArray<{ readonly law: string; readonly run: (interpreter: Interpreter) => Promise<Verdict> }> => {
  const subject = subjectOf(mutant)
  const with_ = (interpreter: Interpreter): Subject => ({ ...subject, interpreter })
  if (mutant.on === 'baseline') {
    return [
      {
        law: 'Estimator.batchBaseline',
        run: (interpreter) => Estimator.batchBaseline(single)(with_(interpreter))()
      }
    ]
  }
  if (mutant.on === 'dimensions') {
    return [
      { law: 'Estimator.isFormula', run: (interpreter) => Estimator.isFormula(plane)(with_(interpreter), key)() },
      { law: 'Estimator.unbiased', run: (interpreter) => Estimator.unbiased(plane)(with_(interpreter))() }
    ]
  }
  return [
    { law: 'Estimator.isFormula', run: (interpreter) => Estimator.isFormula(four)(with_(interpreter), key)() },
    { law: 'Estimator.unbiased', run: (interpreter) => Estimator.unbiased(four)(with_(interpreter))() }
  ]
}

/** Three steps with a reward of each state, a penalty and values. */
const along = alongSetting({ alpha: 0.5, a: 0.25, b: 0.375, sigma: [0.5, 0.75, 0.625] }, [-1, 1, -0.5], {
  process: [0.5, -0.25],
  beta: 0.5,
  reference: [0.125, -0.25],
  value: [0.5, -0.25]
})

const valueSubject = ({ on }: ValueMutant): Subject => {
  switch (on) {
    case 'control':
      return { estimator: right(Catalogue.reinforce(3, { control: quadratic })) }
    case 'baseline':
      return { estimator: right(Catalogue.reinforce(3, { baseline: quadratic })) }
    case 'steps':
      return { estimator: right(Catalogue.segmented({ T: 3, h: 2 })) }
    case 'siblings':
      return { estimator: right(Catalogue.siblings({ T: 3, family: 2 })) }
    case 'ledger':
      return { estimator: right(Catalogue.subsampled({ T: 3, every: 2 })) }
  }
}

const ofValue = (mutant: ValueMutant): Trial => ({
  structure: 'estimator',
  name: mutant.name,
  wrong: mutant.wrong,
  laws: [
    {
      law: 'Estimator.unbiased',
      right: Estimator.unbiased(along)(valueSubject(mutant)),
      mutant: Estimator.unbiased(along)({ ...valueSubject(mutant), interpreter: mutant.interpreter })
    }
  ]
})

const ofEstimator = (mutant: Mutant): Trial => ({
  structure: 'estimator',
  name: mutant.name,
  wrong: mutant.wrong,
  laws: estimatorLaws(mutant).map(({ law, run }) => ({
    law,
    right: () => run(library),
    mutant: () => run(mutant.interpreter)
  }))
})

// -------------------------------------------------------------------------------------
// other structures
// -------------------------------------------------------------------------------------

const now =
  (verdict: () => Verdict): (() => Promise<Verdict>) =>
  () =>
    Promise.resolve(verdict())

const lensTrial = <P extends Params, X1 extends Exprs, Y extends Exprs>(
  name: string,
  wrong: string,
  argument: Shapes,
  good: AnyLens<P, X1, Y>,
  bad: AnyLens<P, X1, Y>
): Trial => {
  const subject = (lens: AnyLens<P, X1, Y>): Lens.Subject<P, X1, Y> => ({ name, lens, argument, sizes: { batch: 2 } })
  const laws = [
    { law: 'Lens.linear', run: (lens: AnyLens<P, X1, Y>) => Lens.linear(subject(lens))(key, 2, -1) },
    { law: 'Lens.adjoint', run: (lens: AnyLens<P, X1, Y>) => Lens.adjoint(subject(lens))(key) }
  ]
  return {
    structure: 'lens',
    name,
    wrong,
    laws: laws.map(({ law, run }) => ({ law, right: now(() => run(good)), mutant: now(() => run(bad)) }))
  }
}

const trial = (
  structure: string,
  name: string,
  wrong: string,
  laws: ReadonlyArray<readonly [law: string, right: () => Verdict, mutant: () => Verdict]>
): Trial => ({
  structure,
  name,
  wrong,
  laws: laws.map(([law, good, bad]) => ({ law, right: now(good), mutant: now(bad) }))
})

const noiseTrial = (name: string, wrong: string, good: AnyNoise, bad: AnyNoise): Trial => {
  const laws: ReadonlyArray<readonly [string, (subject: Noise.Subject) => Verdict]> = [
    ['Noise.scoreIsGradient', (subject) => Noise.scoreIsGradient(subject)(key)],
    ['Noise.parts', Noise.parts],
    ['Noise.rule', Noise.rule],
    ['Noise.draws', (subject) => Noise.draws(subject)(key)]
  ]
  const law = ([of, check]: (typeof laws)[number]) =>
    [of, () => check({ name, noise: good }), () => check({ name, noise: bad })] as const
  return trial('noise', name, wrong, laws.map(law))
}

/** Two layers that share one weight. */
const shared = L.at('layer', dense(2, 2))

const first: StepCover = right(C.cover(4, [C.firstOrder(2)]))
const second: StepCover = right(C.cover(4, [C.halfOrder(2, 3)]))
const third: StepCover = right(C.cover(4, [C.halfOrder(3, 4)]))
const schedule: NoiseSchedule = cosine(8)

/** The quotient of one by minus zero, beside a zero. */
const zeros = (): X.Expr => X.add(X.div(X.scalar(1), X.scalar(-0)), X.mul(X.scalar(0), X.input('x', [])))

const sharing = (make: typeof Program.make): Verdict => Tensor.sharing({ x: [] }, zeros, {}, { x: T.scalar(1) }, make)

/**
 * Every mutant with its laws.
 *
 * @category mutants
 * @since 0.1.0
 */
export const trials: ReadonlyArray<Trial> = [
  ...estimators.map(ofEstimator),
  ...valueMutants.map(ofValue),
  lensTrial(
    'bias forgotten',
    'a dense layer whose bias gets no cotangent',
    ['batch', 3],
    dense(3, 2),
    M.forgetsBias(3, 2)
  ),
  lensTrial(
    'half a product rule',
    'the derivative of silu without its second term',
    ['batch', 3],
    silu<readonly ['batch', 3]>(),
    M.wrongSilu<readonly ['batch', 3]>()
  ),
  lensTrial(
    'squared cotangent',
    'a pullback that is not linear',
    ['batch', 3],
    L.identity<X.Expr<readonly ['batch', 3]>>(),
    M.squares<readonly ['batch', 3]>()
  ),
  lensTrial(
    'constant statistics',
    'a layer norm whose mean and variance count as constants',
    ['batch', 3],
    layerNorm(3),
    M.constantNorm(3)
  ),
  trial('lens', 'cotangents overwritten', 'a composition that does not add the cotangents of a shared weight', [
    [
      'Lens.functorial',
      () => Lens.functorial({ name: 'shared', lens: shared, argument: ['batch', 2], sizes: { batch: 2 } })(shared, key),
      () =>
        Lens.functorial({ name: 'shared', lens: shared, argument: ['batch', 2], sizes: { batch: 2 } }, M.overwrites)(
          shared,
          key
        )
    ]
  ]),
  trial('chain', 'noises reversed', 'a segment that gives its steps the noises of the opposite end', [
    [
      'Chain.segmentsCompose',
      () => Chain.segmentsCompose(four)(2, key),
      () => Chain.segmentsCompose(four, M.reversedNoise)(2, key)
    ]
  ]),
  trial('chain', 'mean log-density', 'a log-density that is the mean over elements, not their sum', [
    ['Chain.onPolicy', () => Chain.onPolicy(plane)(key), () => Chain.onPolicy(plane, M.meanDensity)(key)],
    [
      'Chain.scoreIsGradient',
      () => Chain.scoreIsGradient(plane, Ch.logDensity)(key),
      () => Chain.scoreIsGradient(plane, M.meanDensity)(key)
    ]
  ]),
  trial('chain', 'no ln sigma', 'a log-density that leaves out the scale: its gradient is right, its ratio is not', [
    ['Chain.onPolicy', () => Chain.onPolicy(plane)(key), () => Chain.onPolicy(plane, M.unscaledDensity)(key)],
    [
      'Chain.scoreIsGradient',
      () => Chain.scoreIsGradient(plane, Ch.logDensity)(key),
      () => Chain.scoreIsGradient(plane, M.unscaledDensity)(key)
    ]
  ]),
  trial('chain', 'state passed on', 'steps whose pullback gives the state its cotangent unchanged', [
    [
      'Chain.adjoint',
      () => Chain.adjoint(four)(key),
      () => Chain.adjoint({ ...four, chain: M.passesState(four.chain) })(key)
    ]
  ]),
  noiseTrial(
    'drawn from another',
    "draws of Laplace's density, the score and the log-density of the normal",
    normal,
    M.drawnFromAnother
  ),
  noiseTrial('scored by another', "the score of Laplace's density on normal draws", normal, M.scoredByAnother),
  noiseTrial(
    'ruled by another',
    "a density of one's own with the quadrature rule of the normal",
    laplace,
    M.ruledByAnother
  ),
  noiseTrial('a density that jumps', 'uniform noise, whose score is 0 and misses the ends', normal, M.uniformNoise),
  trial('schedule', 'rising', 'a schedule whose share of the data rises', [
    ['Schedule.falls', () => Schedule.falls(schedule), () => Schedule.falls(M.rising(schedule))]
  ]),
  trial('schedule', 'loud DDIM', 'a sigma without sqrt(1 - alphaBar[t] / alphaBar[t - 1])', [
    [
      'Schedule.ddimIsDdpm',
      () => Schedule.ddimIsDdpm((s, t) => Ddim.coefficients(s, 1, t))(schedule),
      () => Schedule.ddimIsDdpm(M.loudDdim)(schedule)
    ]
  ]),
  ...samplers.map(({ name, wrong, law, right: good, mutant }) => trial('sampler', name, wrong, [[law, good, mutant]])),
  trial('cover', 'careless union', 'a union that does not look for overlaps', [
    ['Cover.paidOnce', () => Cover.paidOnce()(first, second), () => Cover.paidOnce(M.careless)(first, second)]
  ]),
  trial('cover', 'union keeps the first', 'a union that drops the second cover where it overlaps the first', [
    [
      'Cover.commutative',
      () => Cover.commutative()(first, second),
      () => Cover.commutative(M.keepsFirst(C.union))(first, second)
    ],
    [
      'Cover.associative',
      () => Cover.associative()(first, second, third),
      () => Cover.associative(M.keepsFirst(C.union))(first, second, third)
    ],
    [
      'Cover.paidOnce',
      () => Cover.paidOnce()(first, second),
      () => Cover.paidOnce(M.keepsFirst(C.union))(first, second)
    ]
  ]),
  trial('program', 'zeros merged', 'sharing that takes -0 for 0', [
    ['Tensor.sharing', () => sharing(Program.make), () => sharing(M.mergesZeros)]
  ])
]
