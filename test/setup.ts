/**
 * Fixes the seed of every property before a test file runs, so that any run can be repeated.
 *
 * - `FC_SEED=<integer>`: that seed; a failing property prints the seed it used.
 * - else, under `CI`: a constant, so that a red build is red again.
 * - else: the date (UTC) as `YYYYMMDD`, so that a developer's machine sees new cases every day.
 */
import * as fc from 'fast-check'

const CI_SEED = 250200639

const today = (): number => Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''))

const seed = (): number => {
  const given = process.env['FC_SEED']
  if (given === undefined || given === '') return process.env['CI'] === undefined ? today() : CI_SEED
  const value = Number(given)
  if (!Number.isSafeInteger(value)) throw new Error(`FC_SEED: expected an integer, got ${JSON.stringify(given)}`)
  return value
}

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: seed() })
