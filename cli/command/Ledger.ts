/**
 * `halforder ledger`: what a fine-tune's estimator pays of each step's term, by which means, and what of.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Gradient from 'halforder/estimator/Gradient'
import { elements } from 'halforder/estimator/policy/Surrogate'
import * as Ledger from 'halforder/estimator/reading/Ledger'
import { departures } from 'halforder/training/Descent'
import * as Setup from 'halforder/training/Setup'
import { fail, ofEstimator, refused, type Step, usage } from '../edge/Failure.js'
import { type Configured, type ConfigOptions, readConfig } from './ConfigOptions.js'
import { materialsOf } from './ModelFile.js'

/**
 * What was typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface LedgerOptions extends ConfigOptions {
  readonly json?: boolean
}

/**
 * The ledger of a configuration. Left: what a fine-tune would refuse too.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const ledgerOf = ({ task, config }: Configured): Step<Ledger.Ledger> =>
  pipe(
    materialsOf(task, config),
    TE.flatMapEither((materials) => pipe(Setup.setup(config, materials), E.mapLeft(refused))),
    TE.filterOrElse(
      ({ forward }) => forward === undefined,
      () =>
        usage(
          `forward.loss: expected 'none', since what ${config.forward.loss} pays for is no step of a chain; it has no ledger`
        )
    ),
    TE.flatMapEither(({ problem }) => pipe(Gradient.check(problem), E.mapLeft(ofEstimator))),
    TE.map(({ chain, estimator }) => Ledger.ledger(estimator, departures(config, elements(chain.state))))
  )

/**
 * Runs the command and gives its exit code: 0, or 2 (wrong usage). The table goes to stdout, or with `json` the ledger on one line.
 *
 * @category effects
 * @since 0.1.0
 */
export const ledger = async (options: LedgerOptions): Promise<number> => {
  const result = await pipe(readConfig(options), TE.flatMap(ledgerOf))()
  if (E.isLeft(result)) return fail('ledger')(result.left)
  process.stdout.write(`${options.json === true ? JSON.stringify(result.right) : Ledger.show(result.right)}\n`)
  return 0
}
