/**
 * `npm run bench -- --browser`: the libraries that run in a browser, on WebGPU and in one page, and our `webasm` beside them.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { chromiumPath, open } from '../test/browser/browser.js'
import type { Api, Timed, Who } from './browser/page.js'

const folder = join(process.cwd(), 'bench', 'browser')

const median = (times: ReadonlyArray<number>): number =>
  [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN

const line = ({ who, first, times, differs }: Timed, ours: number): string => {
  const [middle, least] = [median(times), Math.min(...times)]
  return (
    `  ${who.padEnd(7)} ${middle.toFixed(1).padStart(8)} ms (least ${least.toFixed(1)}), first run ${first.toFixed(0)} ms, ` +
    `${(middle / ours).toFixed(2)} x ours; differs by ${differs.toExponential(1)}`
  )
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
  const browser = await open(path, { entry: join(folder, 'page.ts'), minify: false, ready: 'bench' })
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
      const timed = await call<ReadonlyArray<Timed>>('time', name, rounds, who)
      const ours = median(timed.find((one) => one.who === 'webgpu')?.times ?? [])
      if (json) process.stdout.write(`${JSON.stringify({ work: name, adapter, unit: 'ms', timed })}\n`)
      else process.stdout.write(`\n${name}\n${timed.map((one) => line(one, ours)).join('\n')}\n`)
    }
    if (browser.complaints.length > 0) process.stderr.write(`${browser.complaints.slice(0, 9).join('\n')}\n`)
    return 0
  } finally {
    await browser.close()
  }
}
