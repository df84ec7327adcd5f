/**
 * Estimators that differentiate a one-step prediction of the output instead of the chain: ReFL (Xu et al., arXiv 2304.05977)
 * and DRaFT-LV (Clark et al., arXiv 2309.17400). They are no covers: what they differentiate is not the chain that is
 * sampled from. **Biased**: their expectation is the gradient, through one step, of the reward of a *predicted* output.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as Clean from '../../chain/Clean.js'
import type { Denoiser } from '../../chain/Denoiser.js'
import type { Schedule } from '../../chain/Schedule.js'
import type { Rows } from '../../lens/Rows.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import type { Differentiable } from '../../reward/Reward.js'
import * as X from '../../tensor/Expr.js'
import type { Scalar } from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import type { ShapeError } from '../../tensor/Shape.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import { gradientOutputs, type Trained } from '../program/Programs.js'

/**
 * What both need: a denoiser on its schedule, a differentiable reward, and which parameters are trained.
 *
 * @category model
 * @since 0.1.0
 */
export interface OneStep<P extends Params, R extends Params, D extends number, K extends number> {
  readonly denoiser: Denoiser<P, D, K>
  readonly schedule: Schedule
  readonly reward: Differentiable<R, readonly ['batch', D], Rows<K>>
  readonly trained: Trained
}

type Built = E.Either<ReadonlyArray<ShapeError>, Program.Program>

/**
 * ReFL: `params, reward.path, x (= x_t, from a rollout that is not differentiated), high (= t), c, weights [batch]` to
 * `gradient.path` and `reward [batch]`, the gradient of the weighted rewards of the outputs predicted from `x_t`. The paper draws
 * `t` among the last steps.
 *
 * @category programs
 * @since 0.1.0
 */
export const refl = <P extends Params, R extends Params, D extends number, K extends number>(
  options: OneStep<P, R, D, K>
): Built =>
  program(options, { x: ['batch', options.denoiser.features], high: [] }, () => ({
    t: X.input('high', []),
    x: X.input('x', ['batch', options.denoiser.features])
  }))

/**
 * DRaFT-LV: `params, reward.path, x0 (a sample), eps, c, weights [batch]` to `gradient.path` and `reward [batch]`: the sample is
 * noised to step 1 and predicted again. Run it for several `eps` and take the mean, as its authors do to lower the variance.
 *
 * @category programs
 * @since 0.1.0
 */
export const draftLv = <P extends Params, R extends Params, D extends number, K extends number>(
  options: OneStep<P, R, D, K>
): Built => {
  const row = ['batch', options.denoiser.features] as const
  return program(options, { x0: row, eps: row }, () => ({
    t: X.scalar(1),
    x: Clean.renoised(options.schedule)(X.scalar(1), X.input('x0', row), X.input('eps', row))
  }))
}

const program = <P extends Params, R extends Params, D extends number, K extends number>(
  { denoiser, schedule, reward, trained }: OneStep<P, R, D, K>,
  own: Readonly<Record<string, Shapes>>,
  from: () => { readonly t: Scalar; readonly x: Rows<D> }
): Built => {
  const condition = ['batch', denoiser.labels] as const
  const inputs: Shapes = {
    params: L.shapes(denoiser.lens.parameters),
    reward: L.shapes(reward.shapes),
    c: condition,
    weights: ['batch'],
    ...own
  }
  return Program.make(inputs, (): Exprs => {
    const { t, x } = from()
    const c: Rows<K> = X.input('c', condition)
    const [output, back] = Clean.prediction(
      denoiser,
      schedule
    )(t).run(L.parameterInputs<P>('params', denoiser.lens.parameters), { x, c })
    const [value, pull] = reward.lens(c).run(L.parameterInputs<R>('reward', reward.shapes), output)
    const [, outputBar] = pull(X.input('weights', ['batch']))
    const [bar] = back(outputBar)
    return { ...gradientOutputs(denoiser.lens.parameters, trained, bar), reward: value }
  })
}
