#!/usr/bin/env node
/**
 * Fine-tunes the faces by every preset and by the default, each for the same number of network evaluations, and writes the table of
 * docs/results/presets.md. What is done already is not done again: a run that was stopped goes on.
 *
 *     npm run build && node bench/scripts/presets.mjs [evaluations] [seeds] [folder]
 *
 * It prints the table, and leaves it in the folder (runs/presets by default). `--page` writes it into the page, too.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const [budgetText = '50000', seedsText = '2', folder = join(root, 'runs', 'presets')] = process.argv
  .slice(2)
  .filter((text) => text !== '--page')
const budget = Number(budgetText)
const seeds = Array.from({ length: Number(seedsText) }, (_, i) => i + 1)

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
const run = (name, typed, seed) => {
  const out = join(folder, `${name}-${seed}`)
  if (!existsSync(join(out, 'checkpoint.safetensors')))
    halforder('finetune', ...typed, '--seed', String(seed), '--steps', '1', '--out', out)
  const { networkEvaluations, steps } = existsSync(join(out, 'summary.json'))
    ? read(out)
    : (halforder('finetune', '--resume', out), read(out))
  const wanted = Math.max(1, Math.round(budget / (networkEvaluations / steps)))
  if (steps < wanted) halforder('finetune', '--resume', out, '--steps', String(wanted))
  return { name, ...read(out) }
}

/** The numbers of the seeds, from the least to the most. */
const each = (runs, read, digits) => {
  const numbers = runs.map(read)
  const [least, most] = [Math.min(...numbers).toFixed(digits), Math.max(...numbers).toFixed(digits)]
  return least === most ? least : `${least} to ${most}`
}

const line = (runs) => {
  const [one] = runs
  const thousands = (read) => Math.round(read(one) / 1000)
  return `| ${[
    one.name,
    `\`${one.estimator}\``,
    one.steps,
    each(runs, ({ before }) => before.mean, 2),
    each(runs, ({ after }) => after.mean, 3),
    each(runs, ({ after }) => after.heldOut.mean, 3),
    each(runs, ({ after }) => after.kl?.mean ?? Number.NaN, 1),
    each(runs, ({ after }) => after.pairwiseDistance, 3),
    each(runs, ({ after }) => after.frechetToBase, 0),
    each(runs, ({ clippedShare }) => 100 * clippedShare, 0),
    thousands(({ networkEvaluations }) => networkEvaluations),
    thousands(({ pullbackSteps }) => pullbackSteps),
    each(runs, ({ seconds }) => seconds, 0)
  ].join(' | ')} |`
}

mkdirSync(folder, { recursive: true })
const done = []
for (const { name, typed } of rows) {
  const each = []
  for (const seed of seeds) {
    try {
      each.push(run(name, typed, seed))
    } catch (error) {
      process.stderr.write(`${name}, seed ${seed}: ${String(error)}\n`)
    }
  }
  if (each.length > 0) done.push(each)
}
const table = [
  '| run | estimator | steps | reward before | after | held-out judge, after | KL | diversity | Fréchet distance | dropped, % | evaluations, thousands | pullbacks, thousands | seconds |',
  '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
  ...done.map(line)
].join('\n')
writeFileSync(join(folder, 'table.md'), `${table}\n`)
if (process.argv.includes('--page')) {
  const path = join(root, 'docs', 'results', 'presets.md')
  const page = readFileSync(path, 'utf8')
  writeFileSync(path, page.replace(/(<!-- table -->)[^]*?(<!-- end -->)/, `$1\n\n${table}\n\n$2`))
}
process.stdout.write(`${table}\n`)
