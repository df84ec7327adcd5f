import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { describe, expect, it } from 'vitest'
import { exactDenoiserOf } from '../../laws/toy/GaussianData.js'
import { affine, onLevels } from '../../src/chain/Affine.js'
import { rollout } from '../../src/chain/Chain.js'
import type { Coefficients } from '../../src/chain/EpsilonSampler.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import { samplers } from '../../src/chain/sampler/All.gen.js'
import type { Base } from '../../src/chain/SamplerRow.js'
import { cosine } from '../../src/chain/Schedule.js'
import { type DocumentError, showError } from '../../src/document/Document.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { trainedShapes } from '../../src/estimator/program/Programs.js'
import { request } from '../../src/training/Requests.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Chains from '../../src/training/Chains.js'
import { silent } from '../../src/training/Conditions.js'
import * as Config from '../../src/training/Config.js'
import * as Setup from '../../src/training/Setup.js'
import { decode } from '../../src/training/Decode.js'
import type { DenoiserInput } from '../../src/chain/Denoiser.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import type { DenoiserDescription, LatentDescription, MlpDescription } from '../../src/network/Description.js'
import { eraseDenoiser } from '../../src/chain/Denoiser.js'
import { initial } from '../../src/lens/Initial.js'
import { encodeModel, type Model } from '../../src/network/Model.js'
import * as Network from '../../src/network/Network.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { brightness } from '../../src/reward/Pixels.js'
import { blackBox } from '../../src/reward/Reward.js'
import { shelf } from '../../src/reward/Shelf.js'
import { reference } from '../../src/tensor/Target.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import { right } from './tiny.js'

const key = Key.make(5)

const modelOf = (description: DenoiserDescription): Model => ({
  denoiser: Network.denoiser(description),
  share: Network.shareOf(description),
  decoder: Network.decoder(description),
  parameters: initial(Network.parameters(description), key),
  metadata: {},
  encode: (parameters, metadata, precision) => encodeModel(description, parameters, metadata, precision)
})

/** The model with every parameter away from zero, where networks start whose last layer says nothing. */
const stirred = (model: Model): Model => ({
  ...model,
  parameters: Object.fromEntries(
    Object.entries(model.parameters).map(([path, { shape, data }]) => {
      const step = Draw.normal(Key.foldInString(key, path), shape).data
      return [path, { shape, data: data.map((x, i) => x + 0.3 * (step[i] ?? 0)) }]
    })
  )
})

const mlp: MlpDescription = {
  kind: 'mlp',
  features: 12,
  labels: 34,
  hidden: 4,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
}

const latent: LatentDescription = {
  kind: 'latent',
  size: [4, 4, 3],
  patch: 1,
  channels: [4, 4],
  groups: 2,
  latent: 2,
  labels: 34,
  hidden: 4,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
}

const materials = (model: Model, features: number): Setup.Materials => ({
  model,
  language: silent(model.denoiser.labels),
  rewards: shelf({
    bright: brightness<number>(features),
    total: blackBox('total', ({ data, shape }) => rowSums(Array.from(data), shape[0] ?? 1))
  })
})

const rowSums = (data: ReadonlyArray<number>, rows: number): ReadonlyArray<number> =>
  Array.from({ length: rows }, (_, r) =>
    data.slice((r * data.length) / rows, ((r + 1) * data.length) / rows).reduce((a, b) => a + b, 0)
  )

const configOf = (kind: Chains.ChainName, more: object = {}): Config.Config =>
  right(Config.decode()({ reward: 'bright', trained: ['**.labels.bias'], chain: { kind, T: 6 }, batch: 2, ...more }))

const message = <A>(result: E.Either<DocumentError, A>): string =>
  E.isLeft(result) ? showError(result.left) : 'accepted'

/** A model that comes with a chain, beside those that have names. */
const withOwn = (model: Model): Model => ({
  ...model,
  own: {
    network: model.denoiser,
    build: (network, { T: steps, eta, guidance }) => {
      const schedule = cosine(steps)
      const coefficients = (t: number): Coefficients => Ddim.coefficients(schedule, eta, t)
      return E.right(affine('own', network, onLevels({ kind: 'epsilon', schedule, coefficients, guidance })))
    }
  }
})

interface Walked {
  readonly x0: ReadonlyArray<number>
  readonly x1: ReadonlyArray<number>
  readonly sigma: ReadonlyArray<number>
}

/** All but the chain of tokens. */
const ofNumbers = Chains.names.filter((kind) => kind !== 'masked')

const tokens: DenoiserDescription = {
  kind: 'tokens',
  length: 2,
  alphabet: 3,
  labels: 1,
  hidden: 4,
  blocks: 1,
  embedding: 4
}

describe('chains by name', () => {
  it('of tokens stand on models of tokens, and no other does', () => {
    const of = (description: DenoiserDescription, kind: Chains.ChainName): string => {
      const { denoiser, share } = modelOf(description)
      const made = Chains.chain({ denoiser, share, latent: false }, configOf(kind).chain)
      return E.isLeft(made) ? showError(made.left) : made.right.name
    }
    expect(of(tokens, 'masked')).toBe('masked(6 steps)')
    expect(of(tokens, 'ddim')).toContain("'masked', since the model is one of tokens")
    expect(of(mlp, 'masked')).toContain("a model of tokens for 'masked'")
  })

  it('are those that a configuration may name', () => {
    expect(new Set(Chains.names).size).toBe(samplers.length)
    for (const { name, prose } of samplers) {
      expect(E.isRight(Config.decode()({ chain: { kind: name } }))).toBe(true)
      expect(prose).toMatch(/^[^\n]*[^.\n]$/)
    }
    expect(Config.defaults.chain.kind).toBe('ddim')
  })

  it.each(ofNumbers)('%s fits an estimator of each kind that its noise allows', (kind) => {
    const model = withOwn(kind === 'latent' ? modelOf(latent) : modelOf(mlp))
    const features = kind === 'latent' ? 48 : 12
    const set = right(Setup.setup(configOf(kind), materials(model, features)))
    expect(set.problem.chain.T).toBe(6)
    expect(set.problem.reward._tag).toBe('Differentiable')
    const checked = pipe(
      Gradient.check(set.problem),
      E.match(
        ({ _tag }): string => _tag,
        () => 'accepted'
      )
    )
    expect(checked).toBe(kind === 'flow-ode' ? 'NoScore' : 'accepted')
    const zeroth = configOf(kind, { estimator: { name: 'evolutionStrategies' } })
    expect(E.isRight(Gradient.check(right(Setup.setup(zeroth, materials(model, features))).problem))).toBe(true)
    expect(E.isRight(Gradient.programs(set.problem))).toBe(true)
  })

  it.each(ofNumbers.filter((kind) => kind !== 'flow-ode'))(
    '%s prices leaving the base: with the noise held, full backpropagation is the slope of reward less price',
    async (kind) => {
      const model = withOwn(stirred(kind === 'latent' ? modelOf(latent) : modelOf(mlp)))
      const config = configOf(kind, { kl: { beta: 0.7, floor: 0.05 }, estimator: { name: 'fullBackprop' } })
      const set = right(Setup.setup(config, materials(model, kind === 'latent' ? 48 : 12)))
      const { problem, conditions, initial: base } = set
      const gradients = right(Gradient.compile(problem, reference))
      const [path = ''] = trainedShapes(problem.chain.parameters, problem.trained).map(([name]) => name)
      // away from the base, where the penalty has a slope
      const at = (by: number): Values => {
        const value = base[path] ?? T.scalar(0)
        return {
          ...base,
          [path]: { shape: value.shape, data: Float64Array.from(value.data, (x, i) => x + 0.1 + by * Math.cos(i)) }
        }
      }
      const evaluated = async (by: number): Promise<Gradient.Estimate> =>
        right(await gradients.run(request(problem, conditions, Key.make(8), at(by)))())
      const objective = async (by: number): Promise<number> => {
        const { rewards, stepRewards } = await evaluated(by)
        return rewards.reduce((sum, r, n) => sum + r + (stepRewards[n] ?? 0), 0) / rewards.length
      }
      const { gradient, stepRewards } = await evaluated(0)
      expect(stepRewards.every((r) => r < 0)).toBe(true)
      const slope = Array.from(gradient[path]?.data ?? []).reduce((sum, g, i) => sum + g * Math.cos(i), 0)
      const h = 1e-3
      const difference =
        (8 * ((await objective(h)) - (await objective(-h))) - ((await objective(2 * h)) - (await objective(-2 * h)))) /
        (12 * h)
      // noise and conditions are numbers of f32, all else is f64: what is left is the fourth power of h
      expect(Math.abs(slope - difference)).toBeLessThan(1e-7 * (1 + Math.abs(difference)))
    }
  )

  it.each(['cosine', 'linear', 'flow'] as const)('start at noise and tell times that a %s model knows', (share) => {
    const denoiser = modelOf({ ...mlp, share }).denoiser
    for (const kind of ofNumbers.filter((name) => name !== 'latent' && name !== 'own')) {
      const { chain: options } = configOf(kind, { chain: { kind, T: 6, schedule: 'linear' } })
      const chain = right(Chains.chain({ denoiser, share, latent: false }, options))
      expect(chain.sigma.slice(1).every((s) => s >= 0 && Number.isFinite(s))).toBe(true)
      expect(chain.sigma).toHaveLength(7)
    }
  })

  it('refuse that of a model that comes with none', () => {
    expect(message(Setup.setup(configOf('own'), materials(modelOf(mlp), 12)))).toBe(
      "chain.kind: expected a model that comes with a chain, for 'own', got one that comes with none; choose 'ddim'"
    )
  })

  it('have guidance', () => {
    const base: Base = { denoiser: modelOf(mlp).denoiser, share: 'cosine', latent: false }
    for (const kind of ['ddim', 'flow-sde', 'cascade'] as const) {
      const { chain: options } = configOf(kind, { chain: { kind, T: 6, guidance: 2 } })
      expect(right(Chains.chain(base, options)).networkCalls).toBe(2)
    }
  })

  // the exact denoiser of one point, of the linear schedule, knows the point from any state whose level it is told right
  const data = { mean: 0.625, variance: 0 }
  const exact = exactDenoiserOf<number>(12)(data)
  const lens = L.make<L.None, DenoiserInput<number, number>, Rows<number>>({}, (p, { x, time, c }) =>
    exact.lens.run(p, { x, time, c: X.retype(c, ['batch', 1]) })
  )
  const ofPoint: Base = { denoiser: eraseDenoiser({ ...exact, labels: 1, lens }), share: 'linear', latent: false }

  /** Output, state before it and deviations of a chain on the data of one point, with every noise 0.5. */
  const walked = (kind: Chains.ChainName, options: object): Walked => {
    const given = configOf(kind, { chain: { kind, T: 7, schedule: 'cosine', ...options } }).chain
    const chain = right(Chains.chain(ofPoint, given))
    const program = right(
      Program.make({ x: ['batch', 12], c: ['batch', 1] }, ({ x, c }) => {
        const eps = X.fill([7, 'batch', 12], 0.5)
        const [x0 = x, x1 = x] = rollout(chain)(() => ({}), x, eps, c)
        return { x0, x1 }
      })
    )
    const start = T.tabulate([1, 12], (i) => Math.cos(i))
    const out = right(Reference.run(program, { batch: 1 }, { x: start, c: T.fill([1, 1], 0) }))
    const numbers = (name: string): ReadonlyArray<number> => Array.from(out[name]?.data ?? [])
    return { x0: numbers('x0'), x1: numbers('x1'), sigma: chain.sigma }
  }

  it('bring one point to itself: shares, times and scales fit each other', () => {
    for (const kind of ['ddpm', 'ddim', 'edm', 'flow-ode', 'consistency', 'cascade'] as const) {
      const { x0, x1, sigma } = walked(kind, {})
      x0.forEach((v) => expect(v).toBeCloseTo(data.mean + 0.5 * (sigma[1] ?? 0), 9))
      expect(x1.every(Number.isFinite)).toBe(true)
    }
  })

  it('hold what they predict within a bound where they are told to', () => {
    for (const kind of ['ddpm', 'ddim', 'edm', 'flow-ode', 'consistency'] as const) {
      const { x0, sigma } = walked(kind, { clip: 0.25 })
      x0.forEach((v) => expect(v).toBeCloseTo(0.25 + 0.5 * (sigma[1] ?? 0), 9))
      // a bound beyond all data changes no bit
      expect(walked(kind, { clip: 1 })).toEqual(walked(kind, {}))
    }
    // steps of these do not end at their prediction
    for (const kind of ['vp-sde', 've-sde', 'flow-sde'] as const) {
      const [free, held] = [walked(kind, {}), walked(kind, { clip: 0.25 })]
      free.x0.forEach((v, i) => expect(held.x0[i]).toBeLessThan(v - 0.1))
    }
    const cascade = configOf('cascade', { chain: { kind: 'cascade', T: 6, clip: 1 } }).chain
    expect(message(Chains.chain({ ...ofPoint, denoiser: modelOf(mlp).denoiser }, cascade))).toBe(
      'chain.clip: expected 0 for cascade, got 1; leave it out, or choose ddim'
    )
  })

  it('keep their noise to a window where they are told to, and those that can not say so', () => {
    for (const kind of ['ddim', 'edm', 'flow-sde', 'flow-cps', 'flow-dance'] as const) {
      const [all, some] = [walked(kind, {}), walked(kind, { window: [2, 3] })]
      expect(some.sigma).toEqual(all.sigma.map((sigma, t) => (t === 2 || t === 3 ? sigma : 0)))
    }
    const built = (kind: Chains.ChainName, window: unknown): string =>
      message(
        Chains.chain(
          { ...ofPoint, denoiser: modelOf(mlp).denoiser },
          configOf(kind, { chain: { kind, T: 6, window } }).chain
        )
      )
    expect(built('vp-sde', [2, 3])).toBe(
      'chain.window: expected null for vp-sde, got [2,3]; leave it out, or choose ddim, latent, edm, flow-sde, flow-cps, flow-dance'
    )
    expect(built('ddim', [2, 9])).toBe(
      'chain.window: expected two steps within 1..6, the lowest first, got [2,9]; choose others'
    )
  })

  it('leave the noise of step 1 out where they are told to', () => {
    for (const kind of ['ddpm', 'edm', 'vp-sde', 've-sde', 'flow-sde'] as const) {
      const [noisy, quiet] = [
        walked(kind, { variance: 'large' }),
        walked(kind, { variance: 'large', lastNoise: false })
      ]
      expect(quiet.sigma).toEqual(noisy.sigma.map((sigma, t) => (t === 1 ? 0 : sigma)))
      noisy.x0.forEach((v, i) => expect(quiet.x0[i]).toBeCloseTo(v - 0.5 * (noisy.sigma[1] ?? 0), 12))
    }
  })
})

describe('refusals', () => {
  it('a model without a decoder has no latents', () => {
    expect(message(Setup.setup(configOf('latent'), materials(modelOf(mlp), 12)))).toBe(
      "chain.kind: expected a model of latents with a decoder for 'latent', got a model of images; set `model` to a file that " +
        "`halforder pretrain` wrote for latents, or choose 'ddim'"
    )
  })

  it('latents, and rows that are no square image, have no cascade', () => {
    expect(message(Setup.setup(configOf('cascade'), materials(modelOf(latent), 48)))).toContain('got latents')
    const odd = modelOf({ ...mlp, features: 27 })
    expect(message(Setup.setup(configOf('cascade'), materials(odd, 27)))).toContain('got rows of 27')
    const short = configOf('cascade', { chain: { kind: 'cascade', T: 1 } })
    expect(message(Setup.setup(short, materials(modelOf(mlp), 12)))).toBe(
      'chain.T: expected at least 2 steps for cascade, got 1; raise it'
    )
  })

  it('a flow SDE without noise is the ODE, which has its own name', () => {
    const config = configOf('flow-sde', { chain: { kind: 'flow-sde', eta: 0 } })
    expect(message(Setup.setup(config, materials(modelOf(mlp), 12)))).toBe(
      'chain.eta: expected a number above 0 for flow-sde, got 0; raise it, or choose flow-ode'
    )
  })
})

describe('latents', () => {
  const model = modelOf(latent)
  const z = T.tabulate([2, 8], (i) => Math.sin(i))

  it('leave out of the trained parameters what only decodes', () => {
    const { problem, initial: start } = right(Setup.setup(configOf('latent'), materials(model, 48)))
    expect(Object.keys(start).every((path) => path.startsWith('denoiser.'))).toBe(true)
    expect(problem.trained('denoiser.labels.bias')).toBe(true)
    expect(problem.trained('decoder.in.bias')).toBe(false)
  })

  it('are decoded for pictures, and for host functions', async () => {
    const images = right(await decode(model, reference)(z)())
    expect(images.shape).toEqual([2, 48])
    const { problem } = right(
      Setup.setup(configOf('latent', { reward: 'total', estimator: { name: 'blackBoxRlr' } }), materials(model, 48))
    )
    if (problem.reward._tag !== 'BlackBox') throw new Error('expected a black box')
    const rewards = right(await problem.reward.evaluate(z)())
    rowSums(Array.from(images.data), 2).forEach((sum, i) => expect(rewards[i]).toBeCloseTo(sum, 12))
  })

  it('of a model of images are the images', async () => {
    expect(O.isNone(modelOf(mlp).decoder)).toBe(true)
    expect(await decode(modelOf(mlp), reference)(z)()).toEqual(E.right(z))
  })
})
