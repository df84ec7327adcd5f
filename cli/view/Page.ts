/**
 * What the viewer shows of a folder, as HTML. Whatever stands in files is text there, never markup.
 *
 * @since 0.1.0
 */
import { isRecord } from 'halforder/document/Document'
import { curvesOf, draw, said } from './Curves.js'
import type { SeenFile, SeenRun } from './Folder.js'

// -------------------------------------------------------------------------------------
// text
// -------------------------------------------------------------------------------------

const marks: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/**
 * Text as HTML.
 *
 * @category utils
 * @since 0.1.0
 */
export const text = (of: string): string => of.replace(/[&<>"']/g, (mark) => marks[mark] ?? mark)

const short = (x: number): string => String(Number(x.toPrecision(4)))

const shown = (value: unknown): string =>
  typeof value === 'number' ? short(value) : typeof value === 'string' ? value : JSON.stringify(value)

const stringIn = (record: Readonly<Record<string, unknown>> | undefined, key: string): string | undefined => {
  const value = record?.[key]
  return typeof value === 'string' ? value : undefined
}

const numberIn = (record: unknown, key: string): number | undefined => {
  const value = isRecord(record) ? record[key] : undefined
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

const size = (bytes: number): string =>
  bytes < 1e3
    ? `${bytes} B`
    : bytes < 1e6
      ? `${short(Math.round(bytes / 100) / 10)} kB`
      : `${short(Math.round(bytes / 1e5) / 10)} MB`

// -------------------------------------------------------------------------------------
// a run
// -------------------------------------------------------------------------------------

/** What a level is, with its standard error. */
const level = (of: unknown): string => {
  const mean = numberIn(of, 'mean')
  const error = numberIn(of, 'standardError')
  return mean === undefined ? '' : error === undefined ? short(mean) : `${short(mean)} ± ${short(error)}`
}

const stateOf = ({ going, summary, metrics, config }: SeenRun): string => {
  const at = metrics.at(-1)?.step ?? 0
  const of = numberIn(config, 'steps')
  const so = of === undefined ? `step ${at}` : `step ${at} of ${of}`
  if (going) return `going on: ${so}`
  if (summary === undefined)
    return `${so}; the run ended before its summary, and can be gone on with by finetune --resume`
  return summary['interrupted'] === true ? `stopped: ${so}` : `done: ${so}`
}

const standings = (summary: Readonly<Record<string, unknown>> | undefined): string => {
  if (summary === undefined) return ''
  const { before, after } = summary
  const of = (key: string): readonly [unknown, unknown] => [
    isRecord(before) ? before[key] : undefined,
    isRecord(after) ? after[key] : undefined
  ]
  const rows: ReadonlyArray<readonly [string, string, string]> = [
    [stringIn(summary, 'reward') ?? 'reward', level(before), level(after)],
    [`held out: ${stringIn(summary, 'heldOutReward') ?? 'no judge'}`, ...levels(of('heldOut'))],
    ['KL to the base', ...levels(of('kl'))],
    ['what is left of the reward', ...levels(of('objective'))],
    ['mean distance of two outputs', ...numbers(of('pairwiseDistance'))],
    ['Fréchet distance to the base', ...numbers(of('frechetToBase'))]
  ]
  const body = rows
    .filter(([, first, second]) => first !== '' || second !== '')
    .map(([name, first, second]) => `<tr><th scope="row">${text(name)}</th><td>${first}</td><td>${second}</td></tr>`)
  const warning = stringIn(summary, 'warning')
  return [
    '<section aria-label="Before and after"><h2>On held-out samples</h2><div class="scroll"><table>',
    '<thead><tr><td></td><th scope="col">before</th><th scope="col">after</th></tr></thead><tbody>',
    ...body,
    '</tbody></table></div>',
    warning === undefined ? '' : `<p class="warning" role="note">${text(warning)}</p>`,
    '</section>'
  ].join('')
}

const levels = ([before, after]: readonly [unknown, unknown]): readonly [string, string] => [
  level(before),
  level(after)
]

const numbers = ([before, after]: readonly [unknown, unknown]): readonly [string, string] => [
  typeof before === 'number' ? short(before) : '',
  typeof after === 'number' ? short(after) : ''
]

const isPicture = ({ name }: SeenFile): boolean => /\.(png|gif|svg|jpg)$/.test(name)

const pictures = (files: ReadonlyArray<SeenFile>): string => {
  const all = files.filter((one) => isPicture(one) && one.name !== 'reward.svg')
  if (all.length === 0) return ''
  const first = ['before', 'after']
  const order = ({ name }: SeenFile): number => {
    const found = first.findIndex((one) => name.startsWith(one))
    return found < 0 ? first.length : found
  }
  const figures = [...all]
    .sort((a, b) => order(a) - order(b))
    .map(
      ({ name, written }) =>
        `<figure><img src="${text(`files/${encodeURIComponent(name)}?${Math.round(written)}`)}" alt="${text(`${name} of the run`)}"><figcaption>${text(name)}</figcaption></figure>`
    )
  return `<section aria-label="Pictures"><h2>The same noise, before and after</h2><div class="pictures">${figures.join('')}</div></section>`
}

const settings = (config: Readonly<Record<string, unknown>> | undefined): string => {
  if (config === undefined) return ''
  const rows = Object.entries(config).map(
    ([key, value]) => `<tr><th scope="row">${text(key)}</th><td><code>${text(shown(value))}</code></td></tr>`
  )
  return `<details data-name="configuration"><summary>Configuration</summary><div class="scroll"><table><tbody>${rows.join('')}</tbody></table></div></details>`
}

const filesOf = (files: ReadonlyArray<SeenFile>): string => {
  const rows = files.map(
    ({ name, bytes }) =>
      `<tr><th scope="row"><a href="${text(`files/${encodeURIComponent(name)}`)}">${text(name)}</a></th><td>${size(bytes)}</td></tr>`
  )
  return `<details data-name="files"><summary>Files</summary><div class="scroll"><table><tbody>${rows.join('')}</tbody></table></div></details>`
}

/**
 * A run as it is now. Its files are below `files/` from where it is shown.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const ofRun = (run: SeenRun): string => {
  const { config, summary, metrics } = run
  const reward = stringIn(summary, 'reward') ?? stringIn(config, 'reward') ?? 'reward'
  const estimator = stringIn(summary, 'estimator')
  const cover = stringIn(summary, 'cover')
  const seconds = metrics.at(-1)?.seconds
  const curves = curvesOf(`mean of ${reward}, by batch`, metrics)
  return [
    `<h1>${text(run.name)}</h1>`,
    `<p class="state" role="status">${text(stateOf(run))}${seconds === undefined ? '' : `, ${short(seconds)} s`}</p>`,
    ...run.faults.map((fault) => `<p class="warning" role="note">${text(fault)}</p>`),
    estimator === undefined
      ? ''
      : `<p>${text(estimator)}${cover === undefined ? '' : `: <code>${text(cover)}</code>`}</p>`,
    curves.length === 0
      ? '<p>No step is in the log yet: it is written with each checkpoint.</p>'
      : `<section aria-label="Curves" class="curves">${curves.map((one) => `<figure><figcaption>${text(one.title)}</figcaption><div role="img" aria-label="${text(said(one))}">${draw(one)}</div></figure>`).join('')}</section>`,
    standings(summary),
    pictures(run.files),
    settings(config),
    filesOf(run.files)
  ].join('\n')
}

/**
 * The runs of a folder, to choose from.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const ofRuns = (folder: string, names: ReadonlyArray<string>): string =>
  [
    `<h1>${text(folder)}</h1>`,
    `<p role="status">${names.length} run${names.length === 1 ? '' : 's'}, the latest first</p>`,
    `<ul>${names.map((name) => `<li><a href="${text(`/runs/${encodeURIComponent(name)}/`)}">${text(name)}</a></li>`).join('')}</ul>`
  ].join('\n')

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

/**
 * The page around what is shown. Its script asks for what is shown every second.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const page = (title: string, body: string): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${text(title)}</title>`,
    '<link rel="icon" href="data:,">',
    '<link rel="stylesheet" href="/view.css">',
    `<main>${body}</main>`,
    '<script type="module" src="/view.js"></script>',
    '</html>',
    ''
  ].join('\n')

/**
 * The script of the page: it shows what is new, keeps what is open open, and says when nobody answers.
 *
 * @category constants
 * @since 0.1.0
 */
export const script = `const main = document.querySelector('main')
let tag = ''
const gone = () => {
  const state = main.querySelector('[role=status]')
  if (state !== null && !state.textContent.endsWith('ended)')) state.textContent += ' (the viewer has ended)'
}
const look = async () => {
  try {
    const response = await fetch('now', { headers: tag === '' ? {} : { 'If-None-Match': tag } })
    if (response.status === 200) {
      const open = new Set([...main.querySelectorAll('details[open]')].map((one) => one.dataset.name))
      tag = response.headers.get('ETag') ?? ''
      main.innerHTML = await response.text()
      for (const one of main.querySelectorAll('details')) one.open = open.has(one.dataset.name)
    }
    setTimeout(look, 1000)
  } catch {
    gone()
    setTimeout(look, 3000)
  }
}
setTimeout(look, 1000)
`

/**
 * The looks of the page.
 *
 * @category constants
 * @since 0.1.0
 */
export const style = `:root { color-scheme: light dark; font: 16px/1.5 ui-sans-serif, system-ui, sans-serif; }
body { margin: 0; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 64px; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 4px; }
h2 { font-size: 1.1rem; margin: 28px 0 8px; }
.state { font-weight: 600; }
.curves, .pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 20px; }
figure { margin: 0; }
figcaption { font-size: 14px; }
svg { width: 100%; height: auto; display: block; }
img { max-width: 100%; height: auto; background: #fff; image-rendering: pixelated; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid #8886; vertical-align: top; }
.warning { border-left: 4px solid #b45309; padding-left: 10px; }
details { margin-top: 20px; }
summary { cursor: pointer; }
a { color: light-dark(#0b57c4, #84b6ff); }
`
