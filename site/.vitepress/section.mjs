/**
 * The documentation, for the sidebar: what a folder has, in the order in which the page of all documentation leads to it. A page that
 * is added is there by itself.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { pageOf, root } from './pages.mjs'

const guide = 'docs/README.md'

/** Where the page of all documentation leads to, the first first. */
const order = [...readFileSync(root + guide, 'utf8').matchAll(/\]\(([^)#:]+)[^)]*\)/g)].map(([, href]) =>
  posix.join('docs', href)
)

const placeOf = (file) => {
  const at = order.indexOf(file)
  return at < 0 ? order.length : at
}

const headingOf = (file) =>
  (/^# (.+)$/m.exec(readFileSync(root + file, 'utf8'))?.[1] ?? posix.basename(file))
    .replace(/^\d+\. /, '')
    .replace(/[`$]/g, '')

const entry = (file) => ({
  text: headingOf(file),
  link: `/${pageOf(file)
    .replace(/\.md$/, '')
    .replace(/(^|\/)index$/, '$1')}`
})

/** Pages by their first headings: those that are led to in that order, then the others by their names. */
export const pagesAt = (files) => [...files].sort((a, b) => placeOf(a) - placeOf(b) || (a < b ? -1 : 1)).map(entry)

const inFolder = (folder) => readdirSync(root + folder, { withFileTypes: true })

/** The pages of a folder below a title, which leads to the folder's own page where it has one. */
export const group = (text, folder) => {
  const own = `${folder}/README.md`
  return { text, ...(existsSync(root + own) ? { link: entry(own).link } : {}), items: section(folder) }
}

/**
 * The pages of a folder but for its own and `without` some; those of a folder in it are below the page of that, or below its name, which
 * then leads to the first: what opens and leads nowhere would be a button within a button.
 */
export const section = (folder, without = []) => {
  const files = inFolder(folder).flatMap((one) =>
    one.isFile() && one.name.endsWith('.md') && one.name !== 'README.md' ? [`${folder}/${one.name}`] : []
  )
  const folders = inFolder(folder).flatMap((one) => {
    if (!one.isDirectory() || without.includes(`${folder}/${one.name}`)) return []
    const items = section(`${folder}/${one.name}`)
    const own = `${folder}/${one.name}/README.md`
    if (items.length === 0 && !existsSync(root + own)) return []
    return [
      existsSync(root + own)
        ? { ...entry(own), items, collapsed: true }
        : { text: one.name[0].toUpperCase() + one.name.slice(1), link: items[0].link, items, collapsed: true }
    ]
  })
  return [...pagesAt(files.filter((file) => !without.includes(file))), ...folders]
}
