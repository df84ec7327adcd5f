/**
 * What the viewer shows, as HTML: a report as `halforder report` draws it, asked for again while a run goes on.
 *
 * @since 0.1.0
 */
import { escaped } from '../edge/Markup.js'
import { body } from '../report/Page.js'
import type { Report } from '../report/Report.js'
import * as Style from '../report/Style.js'
import type { SeenFile, SeenFolder } from './Folder.js'

const size = (bytes: number): string => {
  if (bytes < 1e3) return `${bytes} B`
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

const isOwn = ({ name }: SeenFile): boolean => !/[/\\]/.test(name)

const filesOf = ({ files }: SeenFolder): string => {
  const rows = files
    .filter(isOwn)
    .map(
      ({ name, bytes }) =>
        `<tr><th scope="row"><a href="${escaped(`files/${encodeURIComponent(name)}`)}">${escaped(name)}</a></th><td>${size(bytes)}</td></tr>`
    )
  return `<details><summary>Files</summary><div class="wide"><table><tbody>${rows.join('')}</tbody></table></div></details>`
}

const status = ({ going }: SeenFolder, { sections: [first] }: Report): string => {
  const step = first?.charts[0]?.places.at(-1)?.x
  const where = step === undefined || first?.kind !== 'run' ? '' : `, at step ${step}`
  return going ? `a process is in it${where}: what it writes is shown here` : `no process is in it${where}`
}

/**
 * A folder as it is now. Its files are below `files/` from where it is shown.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const ofFolder = (folder: SeenFolder, report: Report): string =>
  `<p class="about" role="status">${escaped(status(folder, report))}</p>${body(report)}${filesOf(folder)}`

/**
 * What can not be shown yet, and why: a run that is about to begin has half of its files.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const ofFault = (folder: SeenFolder, reason: string): string =>
  `<h1>${escaped(folder.name)}</h1><p role="status">not to be shown yet: ${escaped(reason)}</p>${filesOf(folder)}`

/**
 * Folders to choose from.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const ofSeveral = (name: string, names: ReadonlyArray<string>): string =>
  [
    `<h1>${escaped(name)}</h1>`,
    `<p role="status">${names.length} folder${names.length === 1 ? '' : 's'}, the latest first</p>`,
    `<ul>${names.map((one) => `<li><a href="${escaped(`/of/${encodeURIComponent(one)}/`)}">${escaped(one)}</a></li>`).join('')}</ul>`
  ].join('\n')

/**
 * The page around what is shown. Its script asks every second for what is new.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const page = (title: string, shown: string): string =>
  [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escaped(title)}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/view.css">`,
    `</head><body><main>${shown}</main><script type="module" src="/view.js"></script></body></html>`,
    ''
  ].join('\n')

/**
 * The looks of a report's page.
 *
 * @category constants
 * @since 0.1.0
 */
export const style: string = Style.style

/**
 * The script of the page: it shows what is new, keeps open what is open and sliders where they are, and says when nobody answers.
 *
 * @category constants
 * @since 0.1.0
 */
export const script = `const main = document.querySelector('main')
const ready = () => {${Style.script}}
const kept = () => ({
  open: [...main.querySelectorAll('details')].map((one) => one.open),
  sliders: [...main.querySelectorAll('input[type=range]')].map((one) => one.value)
})
const keep = ({ open, sliders }) => {
  main.querySelectorAll('details').forEach((one, i) => { one.open = open[i] ?? false })
  main.querySelectorAll('input[type=range]').forEach((one, i) => { one.value = sliders[i] ?? one.value })
}
const gone = () => {
  const state = main.querySelector('[role=status]')
  if (state !== null && !state.textContent.endsWith('ended)')) state.textContent += ' (the viewer has ended)'
}
let tag = ''
const look = async () => {
  try {
    const response = await fetch('now', { headers: tag === '' ? {} : { 'If-None-Match': tag } })
    if (response.status === 200) {
      tag = response.headers.get('ETag') ?? ''
      const before = kept()
      main.innerHTML = await response.text()
      keep(before)
      ready()
    }
    setTimeout(look, 1000)
  } catch {
    gone()
    setTimeout(look, 3000)
  }
}
ready()
setTimeout(look, 1000)
`
