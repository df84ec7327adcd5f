/**
 * The interpreter of covers: from an estimator, a chain and a reward to gradients on a target.
 *
 * It runs the rollouts that a cover needs, scores the outputs, and adds up the cells' credit programs. No estimator is a
 * special case: only the cells of the drawn cover are looked at.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as Ch from '../chain/Chain.js'
import type { Params } from '../lens/Lens.js'
import { declared } from '../random/Density.js'
import { hosted, lenses } from '../reward/StepReward.js'
import type { Program } from '../tensor/Program.js'
import { buildAll } from '../tensor/Build.js'
import type { Batched, ShapeError } from '../tensor/Shape.js'
import type { Target } from '../tensor/Target.js'
import type { Exprs } from '../tensor/Tree.js'
import * as C from './Cover.js'
import { estimate } from './Estimate.js'
import {
  basePerturbation,
  branches,
  creditName,
  rollouts,
  sideName,
  stepName,
  tangentName,
  valueName,
  values
} from './Plan.js'
import { check, type EstimatorError, type Gradients, type Interpreter, type Problem } from './Problem.js'
import * as Programs from './program/Programs.js'
import { segmentKind } from './program/SegmentKind.js'
import { step as oneStep } from './program/StepPrograms.js'
import * as Values from './program/ValuePrograms.js'
import type { StateValue } from './StateValue.js'

export {
  type AnyProblem,
  check,
  type Estimate,
  type EstimatorError,
  type Gradients,
  type Interpreter,
  type NonFinite,
  problem,
  type Problem,
  type Request,
  showError,
  type Term
} from './Problem.js'
export { branches, rollouts } from './Plan.js'

// -------------------------------------------------------------------------------------
// interpreter
// -------------------------------------------------------------------------------------

/**
 * The programs that an estimator needs on a chain, by name. They are pure values: `compile` runs them on a target.
 * Left: the estimator does not fit the chain or the reward (`check`), or a program with wrong shapes.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const programs = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>
): E.Either<EstimatorError, Readonly<Record<string, Program>>> => {
  const { chain, reward, estimator, trained } = problem
  const steps = lenses(problem.steps)
  const onHost = hosted(problem.steps).length > 0
  const wanted = new Map<string, () => Built>()
  const clean = estimator.covers.some(({ cover }) => values(cover).baselines.some(({ _tag }) => _tag === 'Clean'))
  const keep = { keep: true, trained, clean, steps }
  for (const { cover } of estimator.covers) {
    for (const cell of cover.cells) {
      wanted.set(creditName(cell), () => {
        switch (cell._tag) {
          case 'FirstOrder':
            return Programs.firstOrder(chain, segmentKind(cell), trained, steps)
          case 'HalfOrder':
            return Programs.halfOrder(chain, segmentKind(cell), trained, steps)
          case 'ZerothOrder':
            return Programs.zerothOrder(chain, cell.perturbation, trained)
        }
      })
    }
    const { baselines, controls } = values(cover)
    const { outcome } = chain.noise
    const want = (name: string, value: StateValue, program: (valued: Values.Valued<S, C>) => Built): void => {
      const valued = valuedOf(problem, value)
      if (valued !== undefined) wanted.set(name, () => program(valued))
    }
    for (const value of baselines.filter(({ _tag }) => _tag !== 'Clean')) {
      want(valueName(value), value, (valued) => Values.value(chain, valued))
    }
    for (const value of controls) {
      if (outcome === undefined) want(valueName(value), value, (valued) => Values.value(chain, valued))
      else want(tangentName(value), value, (valued) => Values.tangent(chain, outcome, valued))
    }
    const plan = rollouts(cover)
    if (branches(cover).length > 0) wanted.set(stepName, () => oneStep(chain, steps))
    const base = plan.base
    if (base !== undefined)
      wanted.set(base, () => Programs.rollout(chain, { perturbation: basePerturbation(cover), ...keep }))
    const zeroth = C.zerothOrderCell(cover)
    if (zeroth !== undefined && plan.sides.length > 0) {
      wanted.set(sideName(cover), () =>
        Programs.rollout(Ch.lowest(chain, plan.from), {
          perturbation: zeroth.perturbation,
          keep: onHost,
          trained,
          steps
        })
      )
    }
  }
  if (reward._tag === 'Differentiable') wanted.set('reward', () => Programs.reward(chain, reward))
  return pipe(
    [...wanted],
    RA.traverse(E.Applicative)(([name, build]) =>
      pipe(
        build(),
        E.bimap(
          (errors): EstimatorError => ({ _tag: 'Ill', program: name, errors }),
          (program) => [name, program] as const
        )
      )
    ),
    E.map((entries) => Object.fromEntries(entries))
  )
}

/** A program, closed or not. */
type Built = E.Either<ReadonlyArray<ShapeError>, Program>

/** A value as expressions; none where `check` refuses it. */
const valuedOf = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  { chain, reward, values: learned = new Map() }: Problem<P, S, C, R>,
  value: StateValue
): Values.Valued<S, C> | undefined => {
  switch (value._tag) {
    case 'Clean': {
      const { clean } = chain
      return clean === undefined || reward._tag === 'BlackBox' ? undefined : Values.cleanValue(chain, clean, reward)
    }
    case 'Learned': {
      const lens = learned.get(value.name)
      return lens === undefined ? undefined : Values.learnedValue(lens)
    }
    case 'Polynomial':
      return Values.polynomialValue(chain.state, value.coefficients)
  }
}

/**
 * Compiles an estimator on a target. Left: what `check` finds, a program that does not close, or one that the target can
 * not compile. Dispose of the result to free what the target holds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  target: Target
): E.Either<EstimatorError, Gradients> =>
  pipe(
    check(problem),
    E.flatMap(programs),
    E.flatMap((closed) => buildAll(target, { batch: problem.batch }, closed)),
    E.map((executables) => ({
      noise: declared(problem.chain.noise.density),
      executables,
      run: (request) => estimate(problem, executables, request),
      dispose: async () => {
        for (const executable of Object.values(executables)) await executable.dispose()
      }
    }))
  )

/**
 * The library's interpreter on a target: `compile`, with its arguments one by one.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const on =
  (target: Target): Interpreter =>
  (problem) =>
    compile(problem, target)
