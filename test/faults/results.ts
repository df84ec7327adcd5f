/** What the fault tests found, as JSON and as the page that is written from it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import { root } from '../package/sources.js'

const folder = join(root, 'docs', 'results')
const json = join(folder, 'reliability.json')
const page = join(folder, 'reliability.md')

const Row = t.type({ fault: t.string, tried: t.number, found: t.record(t.string, t.union([t.number, t.string])) })
const Results = t.record(t.string, t.type({ about: t.string, rows: t.array(Row) }))

export type Row = t.TypeOf<typeof Row>
type Results = t.TypeOf<typeof Results>

const read = (): Results => {
  const given: unknown = existsSync(json) ? JSON.parse(readFileSync(json, 'utf8')) : {}
  return Results.is(given) ? given : {}
}

/** Keeps what a section of the tests found in place of what it found before; nothing where no results are wanted. */
export const record = (section: string, about: string, rows: ReadonlyArray<Row>): void => {
  if (process.env['FAULT_RESULTS'] !== 'write') return
  mkdirSync(folder, { recursive: true })
  const results: Results = { ...read(), [section]: { about, rows: [...rows] } }
  writeFileSync(json, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync(page, show(results))
}

/** The page. */
export const show = (results: Results): string =>
  [
    '# Reliability',
    '',
    '`npm run faults` does to the program what a machine and strangers do to it, and writes this page from',
    '[reliability.json](reliability.json). A run is whole when every file of its folder has the bytes of an unbroken run, but for the',
    'seconds that it took.',
    ...Object.entries(results).flatMap(([section, { about, rows }]) => [
      '',
      `## ${section}`,
      '',
      about,
      '',
      '| fault | tried | found |',
      '|---|---|---|',
      ...rows.map(
        ({ fault, tried, found }) =>
          `| ${fault} | ${tried} | ${Object.entries(found)
            .map(([what, count]) => `${what}: ${count}`)
            .join('; ')} |`
      )
    ]),
    ''
  ].join('\n')
