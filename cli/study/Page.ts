/**
 * The page of a study, written from its lines: nothing in it is typed by hand.
 *
 * @since 0.1.0
 */
import { chartsOf } from './Charts.js'
import { plot } from './Plot.js'
import type { Lines } from './Reading.js'
import type { Study } from './Study.js'
import { type Table, tablesOf } from './Tables.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a study was run: with which command, by which version, on what.
 *
 * @category model
 * @since 0.1.0
 */
export interface Made {
  readonly task: string
  readonly seeds: number
  readonly command: string
  readonly commit: string
  readonly machine: string
}

/**
 * What a study leaves: its page, and its plots by the names of their files.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shown {
  readonly page: string
  readonly plots: ReadonlyArray<{ readonly name: string; readonly svg: string }>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

const markdown = ({ note, head, rows }: Table): ReadonlyArray<string> => [
  note,
  '',
  `| ${head.join(' | ')} |`,
  `|${head.map(() => '---|').join('')}`,
  ...rows.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
]

/**
 * The page and the plots of a study, from its lines.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const show = (study: Study, lines: Lines, made: Made): Shown => {
  const { task, seeds, command, commit, machine } = made
  const plots = chartsOf(study, lines, made).map(({ name, ...chart }) => ({ name, svg: plot(chart) }))
  return {
    plots,
    page: [
      `# ${study.name}, on ${task}`,
      '',
      study.question,
      '',
      `The paper: ${study.paper ?? 'says nothing of it'}.`,
      '',
      ...tablesOf(study, lines).flatMap((table) => [...markdown(table), '']),
      ...plots.flatMap(({ name }) => [`![${study.name}](${name}.png)`, '']),
      `${seeds} seeds; \`${command}\`; ${commit}; ${machine}. Written from \`${study.name}-${task}.jsonl\` by that command.`,
      ''
    ].join('\n')
  }
}
