#!/usr/bin/env node
/**
 * Fine-tunes the faces by every preset and by the default, each for the same number of network evaluations, and writes the table of
 * docs/results/presets.md. What is done already is not done again: a run that was stopped goes on.
 *
 *     npm run build && node bench/scripts/presets.mjs [evaluations] [folder]
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const budget = Number(process.argv[2] ?? 150000)
const folder = process.argv[3] ?? join(root, 'runs', 'presets')

/** A name for the table, and what is typed for it. */
const rows = [
  { name: 'default', typed: [] },
  { name: 'ddpo', typed: ['--preset', 'ddpo'] },
  { name: 'flow-grpo', typed: ['--preset', 'flow-grpo'] },
  { name: 'dance-grpo', typed: ['--preset', 'dance-grpo'] },
  { name: 'mix-grpo', typed: ['--preset', 'mix-grpo'] },
  { name: 'dpok', typed: ['--preset', 'dpok'] }
]

const halforder = (...args) => {
  const { status } = spawnSync(process.execPath, [join(root, 'cli', 'bin', 'halforder.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit']
  })
  if (status !== 0) throw new Error(`halforder ${args.join(' ')}: exit ${status}`)
}

const read = (out) => JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'))

/** One step tells what a step costs; then the same run goes on to the end of the budget. */
const run = (name, typed) => {
  const out = join(folder, name)
  if (!existsSync(join(out, 'checkpoint.safetensors'))) halforder('finetune', ...typed, '--steps', '1', '--out', out)
  const { networkEvaluations, steps } = existsSync(join(out, 'summary.json'))
    ? read(out)
    : (halforder('finetune', '--resume', out), read(out))
  const wanted = Math.max(1, Math.round(budget / (networkEvaluations / steps)))
  if (steps < wanted) halforder('finetune', '--resume', out, '--steps', String(wanted))
  return { name, ...read(out) }
}

const level = ({ mean, standardError }) => `${mean.toFixed(2)} ± ${standardError.toFixed(2)}`

const line = (one) =>
  `| ${[
    one.name,
    `\`${one.estimator}\``,
    one.steps,
    level(one.before),
    level(one.after),
    level(one.after.heldOut),
    one.after.kl === null ? '' : one.after.kl.mean.toFixed(1),
    one.after.pairwiseDistance.toFixed(3),
    one.after.frechetToBase.toFixed(0),
    `${(100 * one.clippedShare).toFixed(0)} %`,
    Math.round(one.networkEvaluations / 1000),
    Math.round(one.pullbackSteps / 1000),
    Math.round(one.seconds)
  ].join(' | ')} |`

mkdirSync(folder, { recursive: true })
const done = []
for (const { name, typed } of rows) {
  try {
    done.push(run(name, typed))
  } catch (error) {
    process.stderr.write(`${name}: ${String(error)}\n`)
  }
}
const table = [
  '| run | estimator | steps | before | after | held-out judge, after | KL | diversity | Fréchet | dropped | evaluations, thousands | pullbacks, thousands | seconds |',
  '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
  ...done.map(line)
].join('\n')
writeFileSync(join(folder, 'table.md'), `${table}\n`)
process.stdout.write(`${table}\n`)
