/**
 * A stranger's program: it knows the installed package only. A chain of its own, once right and once with a pullback that
 * forgets a gain, is put to the public suites. What they say goes to stdout as JSON.
 */
import { Chain, Noise } from 'halforder/chain'
import { Run } from 'halforder/laws'
import { Lens } from 'halforder/lens'
import { Expr as X, Shape, Tensor } from 'halforder/tensor'

const state = ['batch', 2]

/** The gains of steps 1 to 4: all but one are 1, so a pullback that forgets them is wrong at step 3 alone. */
const gains = [0, 1, 1, 2, 1]

/** `x_{t-1} = theta x_t gain_t + sigma_t eps_t`, a `theta` for each row and number. */
const chainWith = (forgets) => {
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
      Lens.make(parameters, ({ theta }, { x, c }) => {
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

const said = async (suite) => {
  try {
    await suite()
    return 'holds'
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const params = { theta: Tensor.vector([0.75, -0.5]) }
const runs = { numRuns: 3 }

const chain = (forgets) => () => Run.chain({ chain: chainWith(forgets), params, condition: {} }, runs)

const step = (forgets, t) => () =>
  Run.lens(
    {
      name: `step ${t}`,
      lens: chainWith(forgets).mean(X.scalar(t)),
      argument: { x: state, c: {} },
      sizes: { batch: 3 }
    },
    runs
  )

const steps = async (forgets) => {
  const answers = []
  for (const t of [1, 2, 3, 4]) answers.push(await said(step(forgets, t)))
  return answers
}

process.stdout.write(
  JSON.stringify({
    shapes: typeof Shape.showError,
    right: await said(chain('nothing')),
    rightSteps: await steps('nothing'),
    wrong: await said(chain('parameters')),
    wrongSteps: await steps('state')
  })
)
