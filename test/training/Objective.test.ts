import { describe, expect, test } from 'vitest'
import * as Objectives from '../../src/training/Objective.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Faces from '../../cli/tasks/faces/Faces.js'
import * as Latent from '../../src/network/Latent.js'
import { shares } from '../../src/chain/Share.js'
import { clean } from '../../src/network/Unet.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { get, values } from '../network/adjoint.js'
import { tinyLatent, tinyUnet } from './descriptions.js'

const features = 6
const labels = Faces.labelWidth
const flowMatching = Objectives.flowMatching(tinyUnet)
const latentDenoising = Objectives.latentDenoising(tinyLatent)

describe('objectives', () => {
  const p = (objective: Objectives.Objective<Params>): Values =>
    values(L.shapes(objective.parameters), 'p', Key.make(8), 0.5)
  const batch: Objectives.Batch = {
    x0: X.input('x0', ['batch', features]),
    labels: X.input('labels', ['batch', labels]),
    noise: X.input('noise', ['batch', features]),
    time: X.input('time', ['batch', 1])
  }
  const shapes = {
    x0: ['batch', features],
    labels: ['batch', labels],
    noise: ['batch', features],
    time: ['batch', 1]
  } as const
  const run = <O extends Exprs>(
    objective: Objectives.Objective<Params>,
    time: number,
    of: (p: Params) => O
  ): Values => {
    const program = get(Program.make({ p: L.shapes(objective.parameters), ...shapes }, (inputs) => of(inputs.p)))
    const times = { time: { shape: [3, 1], data: Float64Array.of(time, time, time) } }
    return get(Reference.run(program, { batch: 3 }, { ...p(objective), ...values(shapes, '', Key.make(9)), ...times }))
  }

  test.each([
    [0.05, 5],
    [0.3, 5],
    [0.8, 1 / 0.64]
  ])('flow matching at %d weights the error of the clean image by %d', (time, weight) => {
    const { loss, error } = run(flowMatching, time, (parameters) => {
      const share = shares.flow(batch.time)
      const row = ['batch', features] as const
      const x = X.add(
        X.mul(X.broadcastTo(X.sqrt(share.data), row), batch.x0),
        X.mul(X.broadcastTo(X.sqrt(share.noise), row), batch.noise)
      )
      const image = clean(tinyUnet).forward(parameters, { x, time: batch.time, c: batch.labels })
      const difference = X.sub(image, batch.x0)
      return {
        loss: flowMatching.run(parameters, batch)[0],
        error: X.sumTo(X.mul(difference, difference), ['batch', 1])
      }
    })
    for (let i = 0; i < 3; i++) {
      const expected = (weight * (error?.data[i] ?? Number.NaN)) / features
      // the velocity divides by the time and is weighted by its square
      expect(Math.abs((loss?.data[i] ?? 0) - expected)).toBeLessThan(1e-10 * expected)
    }
  })

  test('denoising latents does not move the encoder by the denoiser, nor the denoiser by the image', () => {
    const gradient = (objective: Objectives.Objective<Params>): Values =>
      run(objective, 0.5, (parameters) => objective.run(parameters, batch)[1](X.fill(['batch'], 1)))
    const both = gradient(latentDenoising)
    const direction = (i: number): number => (i % 5) - 2
    const paths = Object.keys(both)
    for (const part of ['encoder', 'decoder', 'denoiser'])
      expect(paths.some((path) => path.startsWith(part))).toBe(true)
    // the encoder's gradient is the reconstruction's: that of the loss less the denoiser's, which does not reach it
    const lossOf = (part: 'all' | 'encoder', h: number): number => {
      const objective = latentDenoising
      const moved = Object.fromEntries(
        Object.entries(p(objective)).map(([name, t]) => [
          name,
          name === 'p.encoder.in.weight' ? { ...t, data: Float64Array.from(t.data, (x, i) => x + h * direction(i)) } : t
        ])
      )
      const program = get(
        Program.make({ p: L.shapes(objective.parameters), ...shapes }, (inputs) => ({
          y: X.sumTo(part === 'all' ? objective.run(inputs.p, batch)[0] : reconstructionLoss(inputs.p, batch), [])
        }))
      )
      const times = { time: { shape: [3, 1], data: Float64Array.of(0.5, 0.5, 0.5) } }
      const out = get(Reference.run(program, { batch: 3 }, { ...moved, ...values(shapes, '', Key.make(9)), ...times }))
      return out['y']?.data[0] ?? Number.NaN
    }
    const slope = (part: 'all' | 'encoder'): number => (lossOf(part, 1e-4) - lossOf(part, -1e-4)) / 2e-4
    const found = Array.from(both['encoder.in.weight']?.data ?? []).reduce((a, b, i) => a + b * direction(i), 0)
    expect(Math.abs(found - slope('encoder'))).toBeLessThan(1e-5 * (1 + Math.abs(found)))
    // the whole loss does depend on the encoder through the denoiser: the stop makes a difference
    expect(Math.abs(found - slope('all'))).toBeGreaterThan(1e-3)
  })
})

/** The part of the loss that `latentDenoising` sends to encoder and decoder. */
const reconstructionLoss = (p: Params, { x0, noise }: Objectives.Batch): X.Expr => {
  // the branches that the objective declares
  const { encoder, decoder } = p as { readonly encoder: Params; readonly decoder: Params }
  const z = Latent.encoder(tinyLatent).forward(encoder, x0)
  const blurred = X.add(z, X.scale(X.slice(noise, 1, 0, 3), Objectives.latents.noise))
  const difference = X.sub(Latent.decoder(tinyLatent).forward(decoder, blurred), x0)
  return X.scale(X.mul(difference, difference), Objectives.latents.reconstruction / features)
}
