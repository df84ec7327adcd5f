/**
 * The pages of a folder, for the sidebar.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { pageOf, root } from './pages.mjs'

/** A page each but for the folder's own, by their first headings. */
export const section = (folder) =>
  readdirSync(root + folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => {
      const heading = /^# (.+)$/m.exec(readFileSync(`${root}${folder}/${name}`, 'utf8'))?.[1] ?? name
      return {
        text: heading.replace(/^\d+\. /, '').replace(/[`$]/g, ''),
        link: `/${pageOf(`${folder}/${name}`).replace(/\.md$/, '')}`
      }
    })
