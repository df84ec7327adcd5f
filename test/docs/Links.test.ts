/**
 * Links between files of the repository, in every page that the site has.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { linkFrom, pageOf, pictureFrom } from '../../site/.vitepress/pages.mjs'
import { root } from '../package/sources.js'

const inFolder = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
    posix.join(folder, name.replaceAll('\\', '/'))
  )

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'cli/README.md',
  'laws/README.md',
  'src/kernel/README.md',
  ...inFolder('docs'),
  ...inFolder('site/pages')
].filter((name) => pageOf(name) !== undefined)

/** What links and pictures of a text lead to; what is in code is no link. */
const linksOf = (text: string): ReadonlyArray<readonly [kind: string, href: string]> =>
  [
    ...text
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .replaceAll(/`[^`\n]*`/g, '')
      .matchAll(/(!?)\[[^\]]*\]\(([^()\s]+)\)/g)
  ].map(([, kind = '', href = '']) => [kind, href])

const faultOf = (file: string, kind: string, href: string): ReadonlyArray<string> => {
  if (kind === '!') {
    const shown = pictureFrom(file, href)
    return /^[a-z]+:|^\//.test(shown) || existsSync(join(root, posix.dirname(file), decodeURI(shown)))
      ? []
      : [`${file}: there is no picture '${href}'`]
  }
  try {
    linkFrom(file, decodeURI(href))
    return []
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)]
  }
}

describe('a link', () => {
  it('leads to a file that is there, and so does a picture', () => {
    const faults = pages.flatMap((file) =>
      linksOf(readFileSync(join(root, file), 'utf8')).flatMap(([kind, href]) => faultOf(file, kind, href))
    )
    expect(faults).toEqual([])
  })

  it('is seen where it leads nowhere', () => {
    expect(linksOf('[a](b.md) ![c](d.png) `[e](f.md)`\n```\n[g](h.md)\n```\n')).toEqual([
      ['', 'b.md'],
      ['!', 'd.png']
    ])
    expect(faultOf('docs/errata.md', '', 'nowhere.md')).toEqual(["docs/errata.md: nothing is at 'nowhere.md'"])
    expect(faultOf('docs/errata.md', '!', 'nowhere.png')).toHaveLength(1)
    expect(pages.length).toBeGreaterThan(40)
  })
})
