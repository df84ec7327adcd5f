/**
 * One gradient of the default estimator, RLR with a half-order segment of two steps, and one step of fine-tuning with it: draws,
 * gradient and AdamW's update. The chain is that of `Credit.ts`, the reward minus the mean squared distance to fixed numbers.
 */
import { pipe } from 'fp-ts/lib/function.js'
import { rlr } from '../src/estimator/catalogue/Rlr.js'
import * as Gradient from '../src/estimator/Gradient.js'
import type { Gradients, Request } from '../src/estimator/Gradient.js'
import { zerothOrderCell } from '../src/estimator/Cover.js'
import * as Kernel from '../src/kernel/index.js'
import type { Mode } from '../src/kernel/Mode.js'
import * as L from '../src/lens/Lens.js'
import * as Optimizer from '../src/optimizer/Optimizer.js'
import * as Key from '../src/random/Key.js'
import { differentiable } from '../src/reward/Reward.js'
import * as X from '../src/tensor/Expr.js'
import type { Target } from '../src/tensor/Target.js'
import * as Finetune from '../src/training/Finetune.js'
import * as Requests from '../src/training/Requests.js'
import { draw } from './Data.js'
import { mlp, own, table } from './Mlp.js'
import { right, type Contender, type Work } from './Work.js'

const T = 50
const batch = 64
const D = 196
const h = 2
const rate = 1e-4

const { chain, params, x, eps, c } = mlp({ T, batch, features: D, width: 256 })
const aim = draw('aim', [1, D])

type Row = readonly ['batch', number]

const reward = differentiable<L.Params, Row>(
  'near the aim',
  L.make<L.Params, X.Expr<Row>, X.Expr<readonly ['batch']>>({}, (_, x0) => {
    const off = X.sub(x0, X.broadcastTo(X.constant(aim, [1, D]), ['batch', D]))
    return [
      X.scale(X.sum(X.mul(off, off), [1]), -1 / D),
      (bar) => [{}, X.scale(X.mul(off, X.broadcastTo(X.reshape(bar, ['batch', 1]), ['batch', D])), -2 / D)]
    ]
  })
)

const problem = pipe(rlr({ T, h }), right, Gradient.problem(chain, reward, batch))

const request: Request = {
  ...Requests.request(problem, () => ({ c }), Key.make(1), own(params)),
  xT: x,
  eps
}

/** The segment and the radius that were drawn, for the other library. */
const zeroth = zerothOrderCell(request.cover)
const segment = request.cover.cells.find(({ _tag }) => _tag === 'HalfOrder')
const settings = {
  T,
  h,
  rate,
  table: table(T),
  radius: zeroth?.radius ?? 0,
  j: segment?._tag === 'HalfOrder' ? segment.from : 0
}

const onTarget = async (
  threads: number,
  mode: Mode,
  make: (target: Target) => Promise<Pick<Contender, 'run' | 'dispose'>>
): Promise<Contender> => {
  const target = Kernel.gpuJs({ mode, ...(threads === 1 ? {} : { threads }) })
  const { run, dispose } = await make(target)
  return {
    run,
    dispose: async () => {
      await dispose()
      await target.dispose()
    }
  }
}

const gradient = (threads: number, mode: Mode = 'webasm'): Promise<Contender> =>
  onTarget(threads, mode, async (target) => {
    const gradients: Gradients = right(Gradient.on(target)(problem))
    return {
      run: async () => right(await gradients.run(request)()).gradient['first.weight']?.data ?? new Float32Array(),
      dispose: gradients.dispose
    }
  })

const finetune = (threads: number, mode: Mode = 'webasm'): Promise<Contender> =>
  onTarget(threads, mode, async (target) => {
    const run = right(
      Finetune.compile(problem, { target, optimizer: Optimizer.adamW(rate), conditions: () => ({ c }) })
    )
    let state = run.start(own(params))
    return {
      run: async () => {
        const progress = right(await run.step(Key.make(2), state)())
        state = progress.state
        return state.params['first.weight']?.data ?? new Float32Array()
      },
      dispose: run.dispose
    }
  })

const numbers = { x, eps, aim, ...own(params) }
const directions = Object.fromEntries(Object.entries(request.xi).map(([name, value]) => [`xi.${name}`, value]))

/** The works. */
export const gradients: ReadonlyArray<Work> = [
  {
    name: 'gradient-default',
    about: `rlr, h = ${h}, ${T} steps, batch ${batch}: a rollout, two perturbed ones, three cells`,
    threads: [1, 2],
    tolerance: 1e-2,
    native: { torch: { make: 'gradient', settings, values: { ...numbers, ...directions } } },
    contenders: { ours: gradient }
  },
  {
    name: 'finetune-step',
    about: 'the same with its draws, and a step of AdamW',
    threads: [1, 2],
    // everyone draws numbers of its own
    tolerance: Infinity,
    native: { torch: { make: 'finetune', settings, values: numbers } },
    contenders: { ours: finetune }
  }
]
