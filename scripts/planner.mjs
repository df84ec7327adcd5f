/**
 * How good the choices of pilots are: `docs/results/planner.md`, from runs of `halforder choose` that are kept beside it.
 *
 *     npm run build && node scripts/planner.mjs
 *
 * What a pilot chooses is judged by a measurement of all that may be the best, with another seed. Runs that are there are not made
 * again: remove `docs/results/planner.jsonl` to make them all. Those whose numbers are given are made, and the page is not written; with
 * `kept` it is written of those that are whole:
 *
 *     node scripts/planner.mjs 0 3
 *     node scripts/planner.mjs kept
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync, appendFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const kept = `${root}docs/results/planner.jsonl`
const page = `${root}docs/results/planner.md`

const seen = [1, 2, 3]
const unseen = [21, 22, 23, 24, 25]

/** What is chosen for. Those that are `held` out were not run before the pilot was as it is, but for one seed, and neither were the seeds from 21 on. */
const runs = [
  { name: 'points, a chain of 3 steps', options: '--task points --T 3 --kl 0 --steps 400', samples: 4000 },
  { name: 'points, DDIM of 10 steps', options: '--task points --T 10 --kl 0 --steps 200', samples: 4000 },
  { name: 'faces, DDIM of 20 steps', options: '--task faces --T 20 --kl 0 --steps 100', samples: 2000 },
  {
    name: 'garments, DDIM of 20 steps',
    options: '--task garments --T 20 --kl 0 --steps 100',
    samples: 800,
    held: true
  },
  { name: 'tokens, a masked chain of 8 steps', options: '--task tokens', samples: 2000, held: true },
  { name: 'a toy chain, six steps through tanh', toy: true, options: 'toy', samples: 4000 }
]

const records = existsSync(kept)
  ? readFileSync(kept, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  : []

/** A pilot of a run on a task, or a measurement of `samples` samples. */
const onTask = (options, seed, samples) =>
  execFileSync(
    process.execPath,
    [
      `${root}cli/bin/halforder.js`,
      'choose',
      ...options.split(' '),
      ...(samples === undefined ? [] : ['--samples', `${samples}`]),
      '--seed',
      `${seed}`,
      '--json'
    ],
    { encoding: 'utf8', maxBuffer: 2 ** 26, stdio: ['ignore', 'pipe', 'inherit'] }
  )
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ estimator: _, rounds: __, peakBytes: ___, ...entry }) => entry)

/** The same on the chain of the laws, where each run of a program takes as long. */
const onToy = async (seed, samples) => {
  const at = (path) => import(`${root}dist/${path}.js`)
  const { quadraticReward, tanhChain } = await at('laws/toy/Tanh')
  const [Advantage, Named, Contenders, Pilot, Draw, Key, Target, T] = await Promise.all(
    [
      'estimator/Advantage',
      'estimator/Named',
      'estimator/reading/Contenders',
      'estimator/reading/Pilot',
      'random/Draw',
      'random/Key',
      'tensor/Target',
      'tensor/Tensor'
    ].map((path) => at(`src/${path}`))
  )
  const problem = {
    chain: tanhChain({ T: 6, alpha: 0.9, sigma: 0.3 }),
    reward: quadraticReward(2),
    advantage: Advantage.leaveOneOut,
    trained: () => true
  }
  const draws = (batch) => ({
    uniform: (i) => Draw.uniform(Key.foldIn(Key.make(seed), i), [1]).data[0],
    request: (i, cover) => {
      const key = Key.foldIn(Key.make(seed + 1_000_000), i)
      const normal = (name, shape) => Draw.normal(Key.foldInString(key, name), shape)
      const per = cover.cells.some((cell) => cell.perturbation === 'perStep')
      return {
        cover,
        params: { theta: T.tabulate([batch, 2], (k) => (k % 2 === 0 ? 0.3 : 0.1)) },
        condition: {},
        xT: normal('xT', [batch, 1]),
        eps: normal('eps', [cover.T, batch, 1]),
        xi: { theta: normal('xi', per ? [cover.T, batch, 2] : [batch, 2]) },
        fresh: (t, k) => normal(`fresh ${t} ${k}`, [t, batch, 1]),
        weights: new Array(batch).fill(1),
        advantageState: 0
      }
    }
  })
  let now = 0
  const { contenders } = Contenders.compared({ ...Named.facts(problem.chain, problem.reward), radius: 0.05 })
  const candidates = contenders.filter(({ part }) => part !== 'plain')
  const found = await Pilot.pilot(problem, candidates, Target.reference, {
    samples: 20_000,
    share: 0.05,
    peers: 32,
    draws,
    clock: () => now++,
    ...(samples === undefined ? {} : { measured: samples })
  })()
  if (found._tag === 'Left') throw new Error(Pilot.showError(found.left))
  const { entries, work, allowed, rates } = found.right
  return entries.map(({ candidate, rounds: _, peakBytes: __, ...entry }) => ({
    name: candidate.estimator.name,
    ...entry,
    pilot: work,
    allowed,
    rates
  }))
}

/** Numbers of a record with six digits: more are noise. */
const short = (_, value) => (typeof value === 'number' ? Number(value.toPrecision(6)) : value)

const choose = async ({ options, toy }, seed, samples) => {
  const found = records.find((one) => one.options === options && one.seed === seed && one.samples === samples)
  if (found !== undefined) return found
  const entries = toy === true ? await onToy(seed, samples) : onTask(options, seed, samples)
  const record = { options, seed, samples, entries }
  records.push(record)
  appendFileSync(kept, `${JSON.stringify(record, short)}\n`)
  return record
}

const isKept = process.argv[2] === 'kept'
const asked = isKept ? [] : process.argv.slice(2).map(Number)
const isWhole = ({ options, held }) =>
  records.filter((one) => one.options === options).length > (held === true ? 0 : seen.length) + unseen.length
const wanted = isKept ? runs.filter(isWhole) : asked.length === 0 ? runs : runs.filter((_, i) => asked.includes(i))
const measured = []
for (const run of wanted) {
  const pilots = []
  for (const seed of [...(run.held === true ? [] : seen), ...unseen]) pilots.push(await choose(run, seed))
  measured.push({ run, pilots, judge: await choose(run, 100, run.samples) })
}

const shown = (x) => String(Number(x.toPrecision(3)))
const sections = measured.map(({ run, pilots, judge: { entries } }) => {
  const sorted = [...entries].filter(({ score }) => score !== null).sort((a, b) => a.score - b.score)
  // a measurement ends where all others are out, which may be before its last sample
  const most = Math.max(...sorted.map(({ samples }) => samples))
  const long = sorted.filter(({ samples }) => samples >= most / 2)
  const best = long[0]
  const leastWork = Math.min(...long.map(({ variance, work }) => variance * work))
  const choices = pilots.map(({ seed, entries: [chosen] }) => {
    const judged = entries.find(({ name }) => name === chosen.name)
    return {
      seed,
      name: chosen.name,
      ratio: judged.score / best.score,
      byWork: (judged.variance * judged.work) / leastWork,
      share: (100 * 0.05 * chosen.pilot) / chosen.allowed
    }
  })
  const isGood = ({ ratio }) => ratio <= 1.2
  const of = (some) => `${some.filter(isGood).length} of ${some.length}`
  const fresh = choices.filter(({ seed }) => unseen.includes(seed))
  return {
    line: `| ${run.name}${run.held === true ? ' (held out)' : ''} | ${of(choices)} | ${of(fresh)} | ${shown(Math.max(...choices.map(({ ratio }) => ratio)))} | ${shown(Math.max(...choices.map(({ share }) => share)))} % |`,
    lines: [
      `## ${run.name[0].toUpperCase()}${run.name.slice(1)}`,
      '',
      run.toy === true
        ? 'The chain of the laws with theta = (0.3, 0.1), for a run of 20,000 samples; each run of a program counts as equally long.'
        : `\`halforder choose ${run.options}\`, and what they chose by \`--samples ${run.samples} --seed 100\`:`,
      '',
      '| estimator | samples | variance | of it missing | E + P | ms | x time |',
      '|---|---|---|---|---|---|---|',
      ...long
        .slice(0, 8)
        .map(
          (one) =>
            `| ${one.name} | ${one.samples} | ${shown(one.variance)} | ${one.missing > 0 ? shown(one.missing) : '-'} | ${shown(one.work)} | ${shown(1000 * one.seconds)} | ${shown(one.score / best.score)} |`
        ),
      '',
      '| seed | chosen | x time | x (E + P) | the pilot, of the run |',
      '|---|---|---|---|---|',
      ...choices.map(
        ({ seed, name, ratio, byWork, share }) =>
          `| ${seed} | ${name} | ${shown(ratio)} | ${shown(byWork)} | ${shown(share)} % |`
      ),
      ''
    ]
  }
})

if (asked.length === 0)
  writeFileSync(
    page,
    [
      '# What pilots choose',
      '',
      'Written by `npm run build && node scripts/planner.mjs` from [planner.jsonl](planner.jsonl), which it measures where it is not there.',
      '',
      'A pilot is to choose the estimator with the least variance times time of a sample among those of the catalogue that are unbiased, from at',
      'most 5 % of the evaluations and pullbacks of the run. Time is evaluations, pullbacks and rewards, each at its rate, which the pilot',
      'measures. A choice is judged by a measurement of its own of all that may be the best, with another seed: `x time` is the variance times',
      'time of the chosen one over that of the best, and good up to 1.2. `x (E + P)` is the same by the count of evaluations and pullbacks, which',
      'does not depend on the machine. What is `missing` of a variance is what its samples do not show, since they do not have the mean that',
      'scores have: a lower bound. Seeds from 21 on were not run while the pilot was written; of the tasks that are held out one was, which changed',
      'nothing.',
      '',
      '| | within a fifth of the best | of those on unseen seeds | the worst | the longest pilot |',
      '|---|---|---|---|---|',
      ...sections.map(({ line }) => line),
      '',
      `Times are seconds of the processor, one thread of ${cpus()[0]?.model ?? 'an unnamed one'}.`,
      '',
      ...sections.flatMap(({ lines }) => lines)
    ].join('\n')
  )
