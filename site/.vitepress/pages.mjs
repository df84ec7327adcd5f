/**
 * Which files of the repository are pages, where they are, and what a link between files is between pages. Pages stay where they
 * are in the repository: the site has them from there.
 */
import { existsSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

const repository = 'https://github.com/halforder/halforder/blob/main/'
const home = 'https://halforder.github.io/halforder/'
const pictures = 'https://raw.githubusercontent.com/halforder/halforder/main/'

const named = {
  'README.md': 'overview.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'cli/README.md': 'program.md',
  'laws/README.md': 'laws.md',
  'src/kernel/README.md': 'kernels.md',
  'docs/README.md': 'guide.md'
}

const index = (name) => name.replace(/(^|\/)README\.md$/, '$1index.md')

/** The page of a file of the repository, or `undefined` where it is none: `docs/errata.md` is `errata.md`. */
export const pageOf = (file) => {
  if (Object.hasOwn(named, file)) return named[file]
  if (!file.endsWith('.md')) return undefined
  for (const [folder, at] of [
    ['docs/', ''],
    ['site/pages/', ''],
    ['site/api/', 'api/']
  ]) {
    if (file.startsWith(folder)) return index(at + file.slice(folder.length))
  }
  return undefined
}

/** What is no page, as patterns. */
export const others = [
  '{bench,test,scripts,.github,.ci,dist,coverage,runs}/**',
  'src/!(kernel)/**',
  'src/kernel/*/**',
  'laws/*/**',
  'cli/*/**',
  'site/!(pages|api)/**',
  'site/*.md'
]

/** All pages but those of the playground. */
export const documents = ['*.md', '{docs,cli,laws,src}/**', 'site/api/**']

const isFile = (path) => existsSync(path) && statSync(path).isFile()

/**
 * What a link in a file leads to: `page` with its anchor, a `file` of the repository, or what it was; a link to the published site is one to
 * this. It throws where there is nothing.
 */
export const linkFrom = (file, href) => {
  if (/^(#|mailto:|\/)/.test(href)) return href
  if (href.startsWith(home)) return `/${href.slice(home.length)}`
  const own = href.startsWith(repository) ? href.slice(repository.length) : undefined
  if (own === undefined && /^[a-z]+:/.test(href)) return href
  const [path, anchor] = (own ?? posix.join(posix.dirname(file), href)).split('#')
  const hash = anchor === undefined ? '' : `#${anchor}`
  const page = pageOf(path) ?? pageOf(posix.join(path, 'README.md'))
  if (page !== undefined && isFile(root + (pageOf(path) === undefined ? posix.join(path, 'README.md') : path))) {
    return `/${page}${hash}`
  }
  if (!existsSync(root + path)) throw new Error(`${file}: nothing is at '${href}'`)
  return `${repository}${path.replace(/\/$/, '')}${hash}`
}

/** The picture that a file shows: those of the repository are shown from it. */
export const pictureFrom = (file, src) =>
  src.startsWith(pictures)
    ? posix.relative(posix.dirname(file), src.slice(pictures.length)).replace(/^(?!\.)/, './')
    : src

/** A picture, or in its place what it is of, where it is missing: `site/test` lists those. */
const showPicture = (token, file, src) => {
  const shown = pictureFrom(file, src)
  if (/^[a-z]+:/.test(shown) || isFile(root + posix.join(posix.dirname(file), decodeURI(shown)))) {
    token.attrSet('src', shown)
    return
  }
  console.warn(`${file}: there is no picture '${src}'`)
  token.type = 'text'
  token.content = `(a picture that is not here yet: ${token.content})`
  token.children = null
}

/** Rewrites links and pictures of a page to those of the site. */
export const links = (md) => {
  md.core.ruler.push('links-of-the-repository', ({ tokens, env }) => {
    const path = env?.realPath ?? env?.path
    // a title by itself
    if (path === undefined) return
    const file = posix.relative(root.replaceAll('\\', '/').replace(/\/$/, ''), path)
    const visit = (token) => {
      const href = token.type === 'link_open' ? token.attrGet('href') : null
      if (href !== null) token.attrSet('href', linkFrom(file, decodeURI(href)))
      const src = token.type === 'image' ? token.attrGet('src') : null
      if (src !== null) showPicture(token, file, src)
      token.children?.forEach(visit)
    }
    tokens.forEach(visit)
  })
}

/** A corner of a table without words is no header. */
export const corners = (md) => {
  md.core.ruler.push('corners-of-tables', ({ tokens }) => {
    tokens.forEach((token, i) => {
      const text = tokens[i + 1]?.content ?? ''
      if (token.type !== 'th_open') return
      if (text !== '') return
      token.tag = 'td'
      const close = tokens.slice(i).find(({ type }) => type === 'th_close')
      if (close !== undefined) close.tag = 'td'
    })
  })
}

/** Indented code is code as fenced is: it scrolls by itself. */
export const indented = (md) => {
  md.core.ruler.push('indented-code', ({ tokens }) => {
    for (const token of tokens) {
      if (token.type !== 'code_block') continue
      token.type = 'fence'
      token.info = 'text'
      token.markup = '```'
    }
  })
}
