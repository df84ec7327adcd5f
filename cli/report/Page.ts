/**
 * A report as one page of HTML that asks for nothing from anywhere: pictures, style and data are in it, and its policy refuses all else.
 *
 * @since 0.1.0
 */
import { createHash } from 'node:crypto'
import { escaped } from '../edge/Markup.js'
import { draw } from './Drawing.js'
import type { Report, Section, Table } from './Report.js'
import { script, style } from './Style.js'

// -------------------------------------------------------------------------------------
// parts
// -------------------------------------------------------------------------------------

/** What words have in Markdown here: stress, code, and nothing else. */
const words = (text: string): string =>
  escaped(text)
    .replaceAll(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll(/\*([^*]+)\*/g, '<em>$1</em>')

const table = ({ note, head, rows }: Table): string =>
  `<p class="note">${words(note)}</p><div class="wide" tabindex="0" role="region" aria-label="${escaped(note.slice(0, 60))}"><table><thead><tr>${head.map((one) => `<th scope="col">${words(one)}</th>`).join('')}</tr></thead>` +
  `<tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${words(cell)}</td>`).join('')}</tr>`).join('')}</tbody></table></div>`

const pictures = ({ pictures: shown, title }: Section): string => {
  if (shown === null) return ''
  const { before, after } = shown
  if (after === null) return `<div class="pair"><img alt="Before" src="${escaped(before)}"></div>`
  return (
    `<div class="compare"><div class="pair"><img alt="Outputs after, on the same noise as before" src="${escaped(after)}">` +
    `<img class="over" alt="Outputs before" src="${escaped(before)}"></div>` +
    `<label class="slider"><span>before</span><input type="range" min="0" max="100" value="50" aria-label="${escaped(`${title}: how much of before is shown`)}"><span>after</span></label></div>`
  )
}

const facts = ({ facts: all }: Section): string =>
  all.length === 0
    ? ''
    : `<dl>${all.map(({ name, value }) => `<dt>${escaped(name)}</dt><dd>${words(value)}</dd>`).join('')}</dl>`

const section = (one: Section, i: number): string =>
  `<section id="s${i + 1}"><h2>${escaped(one.title)}${one.state === 'done' ? '' : `<span class="state">${one.state}</span>`}</h2>` +
  `<p class="about">${words(one.about)}</p>${facts(one)}${pictures(one)}` +
  `<div class="charts">${one.charts.map(draw).join('')}</div>${one.tables.map(table).join('')}` +
  `${one.details.map(({ title, text }) => `<details><summary>${escaped(title)}</summary><pre tabindex="0" role="region" aria-label="${escaped(title)}">${escaped(text)}</pre></details>`).join('')}</section>`

// -------------------------------------------------------------------------------------
// the page
// -------------------------------------------------------------------------------------

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

const policy = `default-src 'none'; img-src data:; style-src ${digest(style)}; script-src ${digest(script)}; base-uri 'none'; form-action 'none'`

/**
 * The id of the element that has the report as JSON, for `Report.decode`.
 *
 * @category constants
 * @since 0.1.0
 */
export const dataId = 'report'

/**
 * What of a page changes with its report: the contents of its `main`. A viewer that is told of a newer report has no more to draw.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const body = ({ title, sections }: Report): string =>
  `<h1>${escaped(title)}</h1>` +
  (sections.length < 2
    ? ''
    : `<nav aria-label="Contents"><ul>${sections.map((one, i) => `<li><a href="#s${i + 1}">${escaped(one.title)}</a></li>`).join('')}</ul></nav>`) +
  sections.map(section).join('')

/**
 * The whole page. The report is in it as JSON, in the element whose id is `dataId`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const page = (report: Report): string =>
  '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">' +
  `<meta http-equiv="Content-Security-Policy" content="${policy}"><link rel="icon" href="data:,"><title>${escaped(report.title)}</title>` +
  `<style>${style}</style></head><body><main>${body(report)}</main>` +
  // no text of a report ends the element that it is in
  `<script type="application/json" id="${dataId}">${JSON.stringify(report).replaceAll('<', '\\u003c')}</script>` +
  `<script>${script}</script></body></html>\n`
