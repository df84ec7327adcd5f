import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { Named } from 'halforder/estimator'
import { estimators } from 'halforder/estimator/catalogue/All.gen'
import { showClaim } from 'halforder/estimator/catalogue/Row'
import { compared } from 'halforder/estimator/reading/Contenders'
import { options } from 'halforder/estimator/reading/Help'
import { Config } from 'halforder/training'
import { describe, expect, it } from 'vitest'
import { readConfig } from '../../cli/command/ConfigOptions.js'
import { showError } from '../../src/document/Document.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const cells = (line: string): ReadonlyArray<string> => line.slice(2, -2).split(' | ')

const optionOf = (cell: string): (typeof options)[number] | undefined =>
  options.find(({ key }) => cell === `\`estimator.${key}\``)

describe('the table of the README', () => {
  const lines = [...read('README.md').matchAll(/^\| `(\w+)\(.*$/gm)].filter(([, name]) =>
    Named.names.some((one) => one === name)
  )

  it('is of the rows, of which it may leave some out', () => {
    expect(lines.length).toBeGreaterThanOrEqual(8)
    for (const [line, name] of lines) {
      const row = estimators.find((one) => one.name === name)
      expect(cells(line).slice(1)).toEqual([row?.cover, row && showClaim(row.unbiasedFor)])
    }
  })
})

describe('the tables of getting started', () => {
  const page = read('docs/getting-started.md')

  /** What an option is, perhaps with the values that it may have. */
  const says = (cell: string, prose: string): boolean => cell === prose || cell.startsWith(`${prose}: \``)

  it('say of the options of the usual estimator what its row says', async () => {
    const configured = await readConfig({})()
    if (E.isLeft(configured)) throw new Error(configured.left.message)
    const { name: _, ...fields } = configured.right.config.estimator
    const lines = [...page.matchAll(/^\| `estimator\.(?!name`)\w+` \|.*\|$/gm)]
      .map(([line]) => cells(line))
      .filter((line) => line.length === 3)
    expect(lines.map(([key, , usual]) => [key, usual])).toEqual(
      Object.entries(fields).map(([key, value]) => [`\`estimator.${key}\``, `\`${JSON.stringify(value)}\``])
    )
    for (const [key = '', said = ''] of lines) {
      const option = optionOf(key)
      expect(option !== undefined && says(said, option.prose) ? 'so' : said).toBe('so')
    }
  })

  it('say of other options what their rows say, which may leave some out', () => {
    const lines = [...page.matchAll(/^\| `estimator\.\w+` \|.*\|$/gm)]
      .map(([line]) => cells(line))
      .filter((line) => line.length === 4)
    expect(lines.length).toBeGreaterThanOrEqual(7)
    for (const [key = '', names = '', usual, said = ''] of lines) {
      const option = optionOf(key)
      expect(says(said, option?.prose ?? '') ? option?.prose : said).toBe(option?.prose)
      expect(`${key} ${usual}`).toBe(`${key} \`${JSON.stringify(option?.usual)}\``)
      for (const name of names.replaceAll('`', '').split(', ')) expect(option?.names).toContain(name)
    }
  })

  it('names estimators that there are', () => {
    const [, said = ''] = /^\| `estimator\.name` \| (.*) \|.*\|$/m.exec(page) ?? []
    const named = [...said.matchAll(/`(\w+)`/g)].map(([, name]) => name)
    expect(named.length).toBeGreaterThan(6)
    expect(Named.names).toEqual(expect.arrayContaining(named))
  })

  it('show commands and cells that are read', () => {
    for (const [, text = ''] of page.matchAll(/--estimator (?:"([^"]+)")/g)) {
      expect(E.isRight(Named.parse(text))).toBe(true)
    }
    const [, text = ''] = /```json\n([\s\S]*?)\n```/.exec(page) ?? []
    const given: unknown = JSON.parse(text)
    const decoded = Config.decode()({ estimator: given })
    expect(E.isLeft(decoded) ? showError(decoded.left) : decoded.right.estimator.name).toBe('cells')
  })
})

describe('the tables of choosing an estimator', () => {
  const [, differentiable = '', blackBox = ''] = read('docs/choosing-an-estimator.md').split(/^## On the faces.*$/m)
  const [faces = ''] = blackBox.split(/^## /m)

  it.each([
    ['a differentiable reward', differentiable, true],
    ['a black box', faces, false]
  ] as const)('are of what compare measures under %s', (_, section, gradient) => {
    const shown = [...section.matchAll(/^\| (?!estimator|-)(.*?)(?: \*)? \| .*\|.*\|$/gm)].map(([, name]) => name)
    const { contenders, misfits } = compared({
      T: 50,
      noisyFirst: false,
      differentiable: gradient,
      clean: true,
      radius: 0.3
    })
    expect(misfits).toEqual([])
    // chances that a pilot finds are measured besides
    const always = shown.filter((name) => name?.endsWith('by chances)') === false)
    expect(contenders.map(({ estimator }) => estimator.name)).toEqual(expect.arrayContaining(always))
    expect(shown.length).toBeGreaterThanOrEqual(10)
  })
})
