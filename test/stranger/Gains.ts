/**
 * A stranger's program: it knows the installed package only. A chain of its own, once right and once with a pullback that
 * forgets a gain, is put to the public suites. What they say goes to stdout as JSON.
 */
import { Chain, Noise } from 'halforder/chain'
import { Run } from 'halforder/laws'
import { Lens } from 'halforder/lens'
import { Expr as X, Tensor } from 'halforder/tensor'

type Rows = X.Expr<readonly ['batch', 2]>
type Theta = { readonly theta: Rows }
type Nothing = Readonly<Record<never, never>>

/** What a pullback leaves the gain out of. */
type Forgets = 'nothing' | 'parameters' | 'state'

const state = ['batch', 2] as const

/** The gains of steps 1 to 4: all but one are 1, so a pullback that forgets them is wrong at step 3 alone. */
const gains = [0, 1, 1, 2, 1]

/** `x_{t-1} = theta x_t gain_t + sigma_t eps_t`, a `theta` for each row and number. */
const chainThat = (forgets: Forgets): Chain.Chain<Theta, readonly ['batch', 2], Nothing> => {
  const parameters = { theta: Lens.parameter(state) }
  return {
    name: 'gains',
    T: 4,
    state,
    condition: {},
    parameters,
    sigma: [0, 0.5, 0.5, 1, 1],
    noise: Noise.normal,
    networkCalls: 1,
    mean: (t) =>
      Lens.make<Theta, { readonly x: Rows; readonly c: Nothing }, Rows>(parameters, ({ theta }, { x, c }) => {
        const gain = Chain.lookup(gains, t)
        return [
          X.mul(X.mul(theta, x), gain),
          (bar) => {
            const scaled = X.mul(bar, gain)
            return [
              { theta: X.mul(forgets === 'parameters' ? bar : scaled, x) },
              { x: X.mul(forgets === 'state' ? bar : scaled, theta), c }
            ]
          }
        ]
      })
  }
}

const said = async (suite: Promise<void>): Promise<string> => {
  try {
    await suite
    return 'holds'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const runs = { numRuns: 3 }

const chain = (forgets: Forgets): Promise<string> =>
  said(Run.chain({ chain: chainThat(forgets), params: { theta: Tensor.vector([0.75, -0.5]) }, condition: {} }, runs))

const steps = (forgets: Forgets): Promise<ReadonlyArray<string>> =>
  Promise.all(
    [1, 2, 3, 4].map((t) =>
      said(
        Run.lens(
          {
            name: `step ${t}`,
            lens: chainThat(forgets).mean(X.scalar(t)),
            argument: { x: state, c: {} },
            sizes: { batch: 3 }
          },
          runs
        )
      )
    )
  )

process.stdout.write(
  JSON.stringify({
    right: await chain('nothing'),
    rightSteps: await steps('nothing'),
    wrong: await chain('parameters'),
    wrongState: await chain('state'),
    wrongSteps: await steps('state')
  })
)
