import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { cosine } from '../../src/chain/Schedule.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import { peakActivationBytes } from '../../src/estimator/reading/Cost.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { rollout, trainedShapes } from '../../src/estimator/program/Programs.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { plan } from '../../src/kernel/plan/Plan.js'
import { mlp } from '../../src/network/Mlp.js'
import { brightness } from '../../src/reward/Pixels.js'
import { bind } from '../../src/tensor/Program.js'
import { size } from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const denoiser = mlp({ features: 48, labels: 34, hidden: 64, blocks: 2, embedding: 16, share: 'cosine' })
const target = gpuJs()

/** The peak of an estimator's credit programs by the kernels' plan, with all biases and gains trained. */
const peak = (T: number, estimator: E.Either<unknown, Estimator>): number => {
  const chain = ddim({ denoiser, schedule: cosine(T), eta: 1 })
  const options = { trained: (path: string) => /\.(bias|gain)$/.test(path) }
  return peakActivationBytes(
    right(Gradient.compile(Gradient.problem(chain, brightness(48), 16, options)(right(estimator)), target))
  ).bytes
}

describe('the work of a perturbed rollout', () => {
  it('is that of a plain one, step by step: what is moved is moved once', () => {
    const chainOf = (T: number) => ddim({ denoiser, schedule: cosine(T), eta: 1 })
    const flops = (T: number, perturbation: 'none' | 'shared'): number => {
      const chain = chainOf(T)
      const program = right(rollout(chain, { perturbation, keep: false, trained: () => true }))
      return plan(right(bind(program, { batch: 16 }))).work.flops
    }
    const step = (perturbation: 'none' | 'shared'): number => (flops(7, perturbation) - flops(5, perturbation)) / 2
    const moved = trainedShapes(chainOf(5).parameters, () => true).reduce(
      (n, [, shape]) => n + 2 * size(shape.map(Number)),
      0
    )
    // what a plain step knows of the labels from the step before is 34 rows of 16 weights, and a bias
    expect(step('shared') - step('none')).toBe(16 * (2 * 34 * 16 + 16))
    expect(step('shared') - step('none')).toBeLessThan(moved)
  })
})

describe('the memory of credit, by the plan of the kernels', () => {
  it('does not depend on the length of the chain', () => {
    const at = [10, 20, 40].map((T) => peak(T, Catalogue.rlr({ T, h: 2 })))
    expect(new Set(at).size).toBe(1)
  })

  it('is affine in the length of the segment', () => {
    const [one, two, three, four] = [1, 2, 3, 4].map((h) => peak(10, Catalogue.segmented({ T: 10, h })))
    const step = (three ?? 0) - (two ?? 0)
    expect(step).toBeGreaterThan(0)
    expect((four ?? 0) - (three ?? 0)).toBe(step)
    expect(two).toBeGreaterThan(one ?? Infinity)
  })

  it('grows by the states alone, where a segment is recomputed', () => {
    const slope = (memory: 'store' | 'recompute'): number => {
      const [short, long] = [12, 24].map((T) => peak(T, Catalogue.fullBackprop(T, { memory })))
      return ((long ?? 0) - (short ?? 0)) / 12
    }
    // of 16 rows in f32: a state and its noisy mean, 48 numbers each, and the 16 features of the time, which no input enters
    // and so are kept
    expect(slope('recompute')).toBeLessThanOrEqual(16 * 4 * (2 * 48 + 16))
    // two blocks of 64 hidden numbers, and more
    expect(slope('store')).toBeGreaterThan(16 * 4 * (2 * 48 + 2 * 64))
  })
})
