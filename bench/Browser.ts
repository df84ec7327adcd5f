/**
 * `npm run bench -- --browser`: the libraries that run in a browser, on WebGPU and in one page, and our `webasm` beside them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { chromiumPath, open } from '../test/browser/browser.js'
import type { Api, Who } from './Page.js'

const folder = join(process.cwd(), 'bench', 'browser')

/**
 * What one took: milliseconds of the first run, with what it compiles, and of the others; of the processor, in all of the
 * browser, where the machine tells; and how far the answer is from our webasm's, of the largest value.
 */
interface Timed {
  readonly who: Who
  readonly first: number
  readonly firstBusy: number
  readonly times: Array<number>
  readonly busy: Array<number>
  readonly differs: number
}

const median = (times: ReadonlyArray<number>): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN

const line = ({ who, first, firstBusy, times, busy, differs }: Timed, ours: Timed | undefined): string => {
  const ratio = (of: ReadonlyArray<number>, to: ReadonlyArray<number> | undefined): string =>
    to === undefined ? '' : `(${(median(of) / median(to)).toFixed(2)} x ours)`
  const ms = (n: number): string => n.toFixed(1).padStart(8)
  return (
    `  ${who.padEnd(7)} ${ms(median(times))} ms ${ratio(times, ours?.times)}, least ${ms(Math.min(...times))}; ` +
    `processor ${ms(median(busy))} ms ${ratio(busy, ours?.busy)}; ` +
    `first run ${first.toFixed(0)} ms, processor ${firstBusy.toFixed(0)}; differs by ${differs.toExponential(1)}`
  )
}

/** Milliseconds that the processes below this one have been on a processor, where there is a `/proc`. */
export const busyNow = (): number => {
  if (!existsSync('/proc/self/stat')) return Number.NaN
  const found = readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }]
    } catch {
      // it has ended meanwhile
      return []
    }
  })
  const below = (pid: number): number =>
    found.filter(({ parent }) => parent === pid).reduce((n, child) => n + child.ticks + below(child.pid), 0)
  // ticks are hundredths of a second
  return 10 * below(process.pid)
}

interface Measured {
  readonly work: string
  readonly timed: ReadonlyArray<Timed>
}

const names: Readonly<Record<Who, string>> = {
  webgpu: 'ours on `webgpu`',
  webasm: 'ours on `webasm`',
  tfjs: 'TensorFlow.js',
  jaxjs: 'jax-js',
  onnx: 'onnxruntime-web'
}

/** The version of a module, from where it is installed. */
const versionOf = (module: string): string => {
  const found = ['.', folder].map((root) => join(root, 'node_modules', module, 'package.json')).find(existsSync)
  const parsed: unknown = found === undefined ? {} : JSON.parse(readFileSync(found, 'utf8'))
  const version: unknown = typeof parsed === 'object' && parsed !== null ? Reflect.get(parsed, 'version') : undefined
  return String(version)
}

/** Tables of medians and of first runs, by the clock and by the processor, with ratios to ours. */
const page = (measured: ReadonlyArray<Measured>, rounds: number, asked: string, about: string): string => {
  const who = (Object.keys(names) as ReadonlyArray<Who>).filter((one) =>
    measured.some(({ timed }) => timed.some((each) => each.who === one))
  )
  const table = (of: (one: Timed) => number): string =>
    [
      `| work | ${who.map((one) => names[one]).join(' | ')} |`,
      `|---|${who.map(() => '---').join('|')}|`,
      ...measured.map(({ work, timed }) => {
        const own = timed.find((one) => one.who === 'webgpu')
        const cells = who.map((one) => {
          const found = timed.find((each) => each.who === one)
          if (found === undefined) return ''
          const value = of(found)
          return `${value.toFixed(1)}${own === undefined || found === own ? '' : ` (${(value / of(own)).toFixed(2)})`}`
        })
        return `| \`${work}\` | ${cells.join(' | ')} |`
      })
    ].join('\n')
  return `# In a browser, on WebGPU

Written by \`npm run bench -- --browser${asked} --rounds ${rounds} --write docs/results/browser.md\`, after
\`npm ci --legacy-peer-deps --prefix bench/browser\`.

${about} Not measured on a GPU: ratios of
arithmetic on a processor say little of one. One page, one adapter, each contender once in turn in each of ${rounds} rounds; copies in
and out are included. TensorFlow.js ${versionOf('@tensorflow/tfjs')}, jax-js ${versionOf('@jax-js/jax')} and onnxruntime-web ${versionOf('onnxruntime-web')}, each on its WebGPU. Milliseconds; in
brackets the ratio to ours on \`webgpu\`: above 1 ours is faster.

## By the clock

Medians. What else ran on the machine is in them.

${table(({ times }) => median(times))}

## By the processor

Medians of what all processes of the browser took of the processor's time, to hundredths of a second: this holds while other
programs run, too.

${table(({ busy }) => median(busy))}

## First runs

By the processor: a new program, compiled and run once, in the order of the columns of a page whose adapter is open.

${table(({ firstBusy }) => firstBusy)}
`
}

/** What onnxruntime-web fetches when it starts. */
const runtime = (): ReadonlyArray<string> => {
  const dist = join(folder, 'node_modules', 'onnxruntime-web', 'dist')
  return readdirSync(dist).flatMap((name) => (/^ort-wasm.*\.(wasm|mjs)$/.test(name) ? [join(dist, name)] : []))
}

/** Runs works in a page and prints what they took: those whose names start with one of those in `only`, by those who are in `who`. */
export const bench = async (
  only: string,
  rounds: number,
  json: boolean,
  who: ReadonlyArray<Who>,
  write: string | undefined
): Promise<number> => {
  const path = chromiumPath()
  if (path === undefined) {
    process.stderr.write('bench: chromium is not installed (apt-get install chromium)\n')
    return 2
  }
  if (!existsSync(join(folder, 'node_modules'))) {
    process.stderr.write('bench: run `npm ci --legacy-peer-deps --prefix bench/browser` first\n')
    return 2
  }
  const browser = await open(path, { entry: join(folder, 'page.ts'), ready: 'bench', beside: runtime() })
  const call = <A>(name: keyof Api, ...args: ReadonlyArray<unknown>): Promise<A> =>
    browser.page.evaluate(
      async ([f, given]) => {
        const api: unknown = Reflect.get(globalThis, 'bench')
        const member: unknown = typeof api === 'object' && api !== null ? Reflect.get(api, f) : undefined
        // the page's own functions and what they give
        return (typeof member === 'function' ? await Reflect.apply(member, undefined, given) : member) as A
      },
      [name, args] as const
    )
  try {
    const works = (await call<ReadonlyArray<string>>('names')).filter((name) =>
      only.split(',').some((one) => name.startsWith(one))
    )
    const measured: Array<Measured> = []
    const adapter = await call<string>('adapter')
    if (!json) process.stdout.write(`${browser.page.context().browser()?.version() ?? ''}, ${adapter}\n`)
    for (const name of works) {
      const timed: Array<Timed> = []
      const all = await call<ReadonlyArray<Who>>('parties', name)
      for (const one of all.filter((each) => who.length === 0 || who.includes(each))) {
        const before = busyNow()
        const [first, differs] = await call<readonly [number, number]>('first', name, one)
        timed.push({ who: one, first, firstBusy: busyNow() - before, times: [], busy: [], differs })
      }
      for (let round = 0; round < rounds; round++) {
        for (const { who: one, times, busy } of timed) {
          const before = busyNow()
          times.push(await call<number>('again', one))
          busy.push(busyNow() - before)
        }
      }
      measured.push({ work: name, timed })
      const ours = timed.find((one) => one.who === 'webgpu')
      if (json) process.stdout.write(`${JSON.stringify({ work: name, adapter, unit: 'ms', timed })}\n`)
      else process.stdout.write(`\n${name}\n${timed.map((one) => line(one, ours)).join('\n')}\n`)
    }
    if (write !== undefined) {
      const chromium = browser.page.context().browser()?.version() ?? ''
      const about = `Chromium ${chromium} on ${adapter}, ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'a processor'}.`
      const asked = `${only === '' ? '' : ` --only ${only}`}${who.length === 0 ? '' : ` --who ${who.join(',')}`}`
      writeFileSync(write, page(measured, rounds, asked, about))
    }
    if (browser.complaints.length > 0) process.stderr.write(`${browser.complaints.slice(0, 9).join('\n')}\n`)
    return 0
  } finally {
    await browser.close()
  }
}
