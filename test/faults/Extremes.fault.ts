import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, expect, test } from 'vitest'
import { finetune } from '../../cli/command/Finetune.js'
import { sha256 } from '../../cli/command/run/RunFolder.js'
import { names as chainNames } from '../../src/training/Chains.js'
import * as Checkpoint from '../../src/training/Checkpoint.js'
import { captured } from '../cli/captured.js'
import { record } from './results.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-extremes-'))

const tally = { 'ran, all finite': 0, 'refused before it ran': 0, 'stopped by name': 0, 'not finite and silent': 0 }

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true })
  const tried = Object.values(tally).reduce((a, b) => a + b, 0)
  record(
    'Extremes',
    'Fine-tunes of three steps with numbers at the ends of what f32 holds. One that ends with 0 has finite numbers only, in its log, its ' +
      'summary and its checkpoint; any other says in a line what is wrong, and its last checkpoint is finite.',
    [{ fault: 'options of the optimizer, the estimator, the chain, the reward', tried, found: tally }]
  )
})

const optimizers = [
  ...[1e-38, 1e-10, 1e10, 1e30, 3e38, 1e39, Infinity].map((learningRate) => ({ learningRate })),
  ...[0.9999999, 0.99999999999, 1].map((beta2) => ({ beta2 })),
  ...[0.999999, 1].map((beta1) => ({ beta1 })),
  ...[1e-45, 1e-38, 1e38].map((clip) => ({ clip })),
  ...[1e20, 3e38].map((weightDecay) => ({ weightDecay })),
  { name: 'sgd', learningRate: 1e30, clip: 0 },
  { name: 'sgd', learningRate: 1e-40 }
].map((optimizer) => ({ optimizer }))

const estimators = [
  ...[1e-45, 1e-30, 1e10, 1e30, 3e38].map((radius) => ({ name: 'rlr', radius })),
  ...[1e-30, 1e30].map((radius) => ({ name: 'evolutionStrategies', radius })),
  { name: 'evolutionStrategies', form: 'onePoint', radius: 1e-38 },
  { name: 'rlr', form: 'onePoint', radius: 1e-38 }
].map((estimator) => ({ estimator, advantage: { name: 'runningMean' } }))

const rewards = [
  '1e38*right',
  '-3.4e38*right',
  '1e-45*right',
  '1e39*right',
  'near:1e30,0',
  '1e20*near:1e10,1e10'
].flatMap((reward) => [{ reward }, { reward, nonFinite: 'skipRow' }])

const advantages = [
  { name: 'constant', baseline: 3e38 },
  { name: 'runningMean', baseline: -3e38, decay: 1 }
].map((advantage) => ({ advantage }))

const chains = [
  ...chainNames.map((kind) => ({ kind })),
  ...[-1e20, 1e20, 3e38].map((guidance) => ({ guidance })),
  { eta: 0 },
  { schedule: 'linear', T: 2 },
  { T: 2 }
].map((chain) => ({ chain }))

const adapters = [1e-45, 1e30, 3e38].map((alpha) => ({ adapter: { rank: 2, alpha } }))

const small = { task: 'points', steps: 3, batch: 4, evaluationSamples: 4 }

/** What a run said and left: whether all of it is finite. */
const isFinite = (folder: string): boolean => {
  const checkpoint = Checkpoint.decode(sha256)(readFileSync(join(folder, 'checkpoint.safetensors')))
  const texts = ['summary.json', 'metrics.jsonl'].map((name) => join(folder, name)).filter((path) => existsSync(path))
  return E.isRight(checkpoint) && texts.every((path) => !readFileSync(path, 'utf8').includes('null'))
}

const cases = [...optimizers, ...estimators, ...rewards, ...advantages, ...chains, ...adapters].map((given) => {
  const { chain = {} } = 'chain' in given ? given : {}
  return { ...small, ...given, chain: { T: 4, ...chain } }
})

test.each(cases.map((given, i) => [JSON.stringify(given), given, i] as const))('%s', async (_, given, i) => {
  const path = join(scratch, `${i}.json`)
  const folder = join(scratch, String(i))
  writeFileSync(path, JSON.stringify(given).replaceAll('null', '1e999'))
  const { code, err } = await captured(() => finetune({ config: path, out: folder }, new Date(0)))
  if (code === 0 && !isFinite(folder)) tally['not finite and silent']++
  else if (code === 0) tally['ran, all finite']++
  else if (code === 1) tally['stopped by name']++
  else tally['refused before it ran']++
  expect([0, 1, 2]).toContain(code)
  expect(code !== 0 || isFinite(folder)).toBe(true)
  expect(code === 0 || /halforder finetune: .*expected .*, got .*/.test(err) || / has no score there;/.test(err)).toBe(
    true
  )
  expect(code !== 1 || isFinite(folder)).toBe(true)
})
