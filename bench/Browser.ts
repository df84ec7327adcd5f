/**
 * `npm run bench -- --browser`: the libraries that run in a browser, on WebGPU and in one page, and our `webasm` beside them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

/** What onnxruntime-web fetches when it starts. */
const runtime = (): ReadonlyArray<string> => {
  const dist = join(folder, 'node_modules', 'onnxruntime-web', 'dist')
  return readdirSync(dist).flatMap((name) => (/^ort-wasm.*\.(wasm|mjs)$/.test(name) ? [join(dist, name)] : []))
}

/** Runs works in a page and prints what they took: those whose names start with `only`, by those who are in `who`. */
export const bench = async (only: string, rounds: number, json: boolean, who: ReadonlyArray<Who>): Promise<number> => {
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
    const names = (await call<ReadonlyArray<string>>('names')).filter((name) => name.startsWith(only))
    const adapter = await call<string>('adapter')
    if (!json) process.stdout.write(`${browser.page.context().browser()?.version() ?? ''}, ${adapter}\n`)
    for (const name of names) {
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
      const ours = timed.find((one) => one.who === 'webgpu')
      if (json) process.stdout.write(`${JSON.stringify({ work: name, adapter, unit: 'ms', timed })}\n`)
      else process.stdout.write(`\n${name}\n${timed.map((one) => line(one, ours)).join('\n')}\n`)
    }
    if (browser.complaints.length > 0) process.stderr.write(`${browser.complaints.slice(0, 9).join('\n')}\n`)
    return 0
  } finally {
    await browser.close()
  }
}
