/**
 * A mutant put to the laws, and what came of it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Verdict } from '../Verdict.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A mutant with the laws that it is put to: each law's verdict on the right one and on the mutant.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trial {
  readonly structure: string
  readonly name: string
  readonly wrong: string
  readonly laws: ReadonlyArray<{
    readonly law: string
    readonly right: () => Promise<Verdict>
    readonly mutant: () => Promise<Verdict>
  }>
}

/**
 * What came out: the laws that refuted the mutant, and those that did not even hold for the right one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Outcome {
  readonly trial: Trial
  readonly refutedBy: ReadonlyArray<string>
  readonly broken: ReadonlyArray<string>
}

/**
 * Runs a trial. A law that is `Stuck` on a mutant has not refuted it.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const outcome = async (trial: Trial): Promise<Outcome> => {
  const refutedBy: Array<string> = []
  const broken: Array<string> = []
  for (const { law, right, mutant } of trial.laws) {
    const judged = await mutant()
    if (E.isLeft(judged) && judged.left._tag === 'Refuted') refutedBy.push(law)
    if (E.isLeft(await right())) broken.push(law)
  }
  return { trial, refutedBy, broken }
}

/**
 * The table of outcomes in Markdown, its columns padded to one width.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const markdown = (outcomes: ReadonlyArray<Outcome>): string => {
  const rows = [
    ['structure', 'mutant', 'what it gets wrong', 'refuted by'],
    ...outcomes.map(({ trial: { structure, name, wrong }, refutedBy }) => [
      structure,
      name,
      wrong,
      refutedBy.map((law) => `\`${law}\``).join(', ') || '**nothing**'
    ])
  ]
  const widths = [0, 1, 2, 3].map((k) => Math.max(...rows.map((row) => row[k]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>): string =>
    `| ${cells.map((cell, k) => cell.padEnd(widths[k] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n')
}
