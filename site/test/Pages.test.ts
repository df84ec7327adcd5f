/**
 * The built pages as files: links and anchors, pictures, and an API entry for every exported name.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { entries } from '../scripts/api.mjs'
import { publicModules, root } from '../scripts/modules.mjs'
import { linkFrom, pageOf } from '../.vitepress/pages.mjs'
import { section } from '../.vitepress/section.mjs'

const dist = fileURLToPath(new URL('../dist/', import.meta.url))

const htmlFiles = existsSync(dist)
  ? readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'))
  : []

const decoded = (text: string): string =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")

const pages = new Map(
  htmlFiles.map((name) => {
    const html = readFileSync(dist + name, 'utf8')
    const all = (attribute: string): ReadonlyArray<string> =>
      [...html.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, 'g'))].map(([, value = '']) => decoded(value))
    return [name, { ids: new Set(all('id')), links: [...all('href'), ...all('src')] }] as const
  })
)

const isFile = (path: string): boolean => existsSync(path) && statSync(path).isFile()

/** The file that an address of the site shows. */
const fileOf = (path: string): string | undefined => {
  const plain = decodeURIComponent(path).replace(/^\//, '')
  return [plain, `${plain}.html`, posix.join(plain, 'index.html')].find((name) => isFile(dist + name))
}

/** What is wrong with a link of a page. */
const faultOf = (page: string, link: string): string | undefined => {
  if (/^(https?:|data:|mailto:)/.test(link)) return undefined
  const [path = '', anchor] = link.split('#')
  const at = path.startsWith('/') ? path : posix.join('/', posix.dirname(page), path)
  const file = path === '' ? page : fileOf(at.split('?')[0] ?? '')
  if (file === undefined) return `${page}: nothing is at '${link}'`
  if (anchor === undefined || anchor === '' || !file.endsWith('.html')) return undefined
  return pages.get(file)?.ids.has(decodeURIComponent(anchor)) === true ? undefined : `${page}: no anchor '${link}'`
}

test('the site is built: npm run site', () => {
  expect(pages.size).toBeGreaterThan(250)
})

test('every link, picture and anchor leads somewhere', () => {
  const faults = [...pages].flatMap(([page, { links }]) => links.flatMap((link) => faultOf(page, link) ?? []))
  expect([...new Set(faults)]).toEqual([])
})

test('every picture of a page is there', () => {
  const missing = [...pages.keys()].filter((name) =>
    readFileSync(dist + name, 'utf8').includes('(a picture that is not here yet:')
  )
  expect(missing).toEqual([])
})

test('a dead link and a dead anchor would be seen', () => {
  expect(faultOf('errata.html', '/nowhere')).toMatch(/nothing is at/)
  expect(faultOf('errata.html', '#nowhere')).toMatch(/no anchor/)
})

test('every page of docs is a page of the site', () => {
  const docs = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  const missing = docs.filter((name) => {
    const page = pageOf(`docs/${name}`)
    return page === undefined || !pages.has(page.replace(/\.md$/, '.html'))
  })
  expect(docs.length).toBeGreaterThan(30)
  expect(missing).toEqual([])
})

test('every page of docs is in the sidebar, by itself', () => {
  const html = readFileSync(`${dist}errata.html`, 'utf8')
  const side = html.slice(html.indexOf('<aside class="VPSidebar'), html.indexOf('</aside>'))
  const docs = readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
  const missing = docs.filter((name) => {
    const at = (pageOf(`docs/${name}`) ?? '').replace(/\.md$/, '').replace(/(^|\/)index$/, '$1')
    // the records of decisions are below the page of all of them
    return !side.includes(`href="/${at}"`) && !/^decisions\/\d/.test(name)
  })
  expect(side.length).toBeGreaterThan(1000)
  expect(missing).toEqual([])
})

test('the sidebar has what the page of all documentation leads to in its order, and then the rest', () => {
  const titles = (folder: string): ReadonlyArray<string> => section(folder).map(({ text }) => text)
  expect(titles('docs/derivations').slice(0, 3)).toEqual(['The chain and its terms', 'Cells', 'Covers'])
  expect(titles('docs/results').slice(0, 2)).toEqual(['Variance for what it costs', 'Reference table'])
  expect(titles('docs').slice(0, 2)).toEqual(['Getting started', 'Choosing an estimator'])
  // a folder goes by its own page
  expect(titles('docs')).toContain('What was found')
})

test('every exported name of every public module has an entry', () => {
  const missing = publicModules().flatMap((file) => {
    const page =
      file === 'src/index.ts' ? 'api/halforder.html' : `api/${file.replace(/^src\//, '').replace(/\.ts$/, '.html')}`
    const text = readFileSync(root + file, 'utf8')
    const names = [...text.matchAll(/^export (?:declare )?(?:const|type|interface|function|class) (\w+)/gm)].map(
      ([, name = '']) => name
    )
    return names.flatMap((name) => (pages.get(page)?.ids.has(name) === true ? [] : [`${page}#${name}`]))
  })
  expect(missing).toEqual([])
})

describe('what is said of every exported name', () => {
  const all = entries()
  const nameOf = ({ path, name }: (typeof all)[number]): string => `${path} ${name}`

  test('is what it is, of which category, and since when', () => {
    expect(all.length).toBeGreaterThan(1400)
    expect(
      all
        .filter(({ prose, category, since }) => prose === '' || category === 'others' || since === undefined)
        .map(nameOf)
    ).toEqual([])
  })

  // shapes are in the declarations, which are shown
  test('of a function that may fail, is how', () => {
    const fails = /(?:\)\s*:|=>)\s*(?:E\.Either|TE\.TaskEither|Either|TaskEither)<[^=]*$/
    const says = /\bleft\b|error|fault|refus|fail|reject|wrong|why|\bnone\b|unless|undefined|must|expected/i
    const failing = all.filter(({ signature }) => /^export (const|function)/.test(signature) && fails.test(signature))
    expect(failing.length).toBeGreaterThan(150)
    expect(failing.filter(({ prose }) => !says.test(prose)).map(nameOf)).toEqual([])
  })
})

describe('links between files of the repository', () => {
  test('are links between pages where both are pages, and else to the repository', () => {
    expect(linkFrom('docs/errata.md', 'derivations/README.md#laws')).toBe('/derivations/index.md#laws')
    expect(linkFrom('docs/errata.md', '../laws/law/Estimator.ts')).toMatch(/^https:.*\/laws\/law\/Estimator\.ts$/)
    expect(linkFrom('README.md', 'https://github.com/halforder/halforder/blob/main/docs/errata.md')).toBe('/errata.md')
  })

  test('are refused where nothing is', () => {
    expect(() => linkFrom('docs/errata.md', 'no-such-page.md')).toThrow(
      "docs/errata.md: nothing is at 'no-such-page.md'"
    )
  })
})
