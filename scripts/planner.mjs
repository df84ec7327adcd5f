/**
 * How good the choices of pilots are: `docs/results/planner.md`, from runs of `halforder choose` that are kept beside it.
 *
 *     npm run build && node scripts/planner.mjs
 *
 * What is chosen by a pilot of a short run is judged by a pilot of a run that is ten times as long. Runs that are there are not made
 * again. Times are of the machine, so the page changes where it is made.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const kept = `${root}docs/results/planner.jsonl`
const page = `${root}docs/results/planner.md`

/** What is chosen for, with the steps of a short run. */
const runs = [
  { name: 'points, DDIM of 10 steps', steps: 200, seeds: [1, 2, 3, 4], options: '--task points --T 10 --kl 0' },
  { name: 'faces, DDIM of 20 steps', steps: 100, seeds: [1, 2, 3], options: '--task faces --T 20 --kl 0' },
  { name: 'points, a chain of 3 steps', steps: 400, seeds: [1, 2, 3, 4], options: '--task points --T 3 --kl 0' }
]

const records = existsSync(kept)
  ? readFileSync(kept, 'utf8')
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  : []

const choose = (options, steps, seed) => {
  const found = records.find((one) => one.options === options && one.steps === steps && one.seed === seed)
  if (found !== undefined) return found
  const out = execFileSync(
    process.execPath,
    [
      `${root}cli/bin/halforder.js`,
      'choose',
      ...options.split(' '),
      '--steps',
      `${steps}`,
      '--seed',
      `${seed}`,
      '--json'
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'inherit'] }
  )
  const entries = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ estimator: _, peakBytes: __, ...entry }) => entry)
  const record = { options, steps, seed, entries }
  records.push(record)
  writeFileSync(kept, records.map((one) => `${JSON.stringify(one)}\n`).join(''))
  return record
}

const shown = (x) => String(Number(x.toPrecision(3)))
const lines = runs.flatMap(({ name, steps, seeds, options }) => {
  const short = seeds.map((seed) => choose(options, steps, seed))
  const { entries } = choose(options, 10 * steps, 100)
  const sorted = [...entries].sort((a, b) => a.score - b.score)
  const best = sorted[0]
  return [
    `## ${name}`,
    '',
    `\`halforder choose ${options} --steps ${steps}\`. By the longer pilot, variance times time over that of the best:`,
    '',
    '| estimator | samples | variance | E + P | ms | x time |',
    '|---|---|---|---|---|---|',
    ...sorted
      .slice(0, 8)
      .map(
        (one) =>
          `| ${one.name} | ${one.samples} | ${one.variance.toExponential(2)} | ${shown(one.work)} | ${shown(1000 * one.seconds)} | ${shown(one.score / best.score)} |`
      ),
    '',
    '| seed | chosen | x time | variance x (E + P) over the best | the pilot, of the run |',
    '|---|---|---|---|---|',
    ...short.map(({ seed, entries: [chosen] }) => {
      const judged = entries.find((one) => one.name === chosen.name)
      const work = (one) => one.variance * one.work
      const least = Math.min(...sorted.slice(0, 8).map(work))
      const share = (100 * 0.05 * chosen.pilot) / chosen.allowed
      return `| ${seed} | ${chosen.name} | ${shown(judged.score / best.score)} | ${shown(work(judged) / least)} | ${shown(share)} % |`
    }),
    ''
  ]
})

writeFileSync(
  page,
  [
    '# What pilots choose',
    '',
    'Written by `npm run build && node scripts/planner.mjs` from [planner.jsonl](planner.jsonl), which it measures where it is not there.',
    'A pilot of a run is judged by that of a run ten times as long, with another seed: a choice is good where its variance times time',
    'is near the least, 1. Times were measured on two cores that other work had its share of, so those of estimators that are alike',
    'change places; the count of evaluations and pullbacks, in the second column from the right, does not depend on the machine.',
    '',
    ...lines
  ].join('\n')
)
