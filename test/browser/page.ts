/**
 * What runs in the page, called by name from the test: cases and random programs on one target a mode.
 */
import * as fc from 'fast-check'
import { accuracy, gpuJs, type Mode } from '../../src/kernel/GpuJs.js'
import type { Target } from '../../src/tensor/Target.js'
import { type Agreement, agreement, cases as random, runOn } from '../kernel/arbitrary.js'
import { cases } from './cases.js'

const targets = new Map<Mode, Target>()

const on = (mode: Mode): Target => {
  const target = targets.get(mode) ?? gpuJs({ mode })
  targets.set(mode, target)
  return target
}

/** How far a case is from the reference. */
const run = async (mode: Mode, name: string): Promise<Agreement> => {
  const example = cases[name]
  if (example === undefined) throw new Error(`there is no case '${name}'`)
  return agreement(example, await runOn(on(mode), example), accuracy(mode))
}

/** How far random programs are from the reference, or the smallest one that disagrees. */
const search = async (mode: Mode, seed: number, numRuns: number): Promise<Agreement> => {
  let worst: Agreement = { ratio: 0, at: '', claimed: 1 }
  const details = await fc.check(
    fc.asyncProperty(random, async (example) => {
      const found = agreement(example, await runOn(on(mode), example), accuracy(mode))
      if (!(found.ratio <= worst.ratio)) worst = found
      return found.ratio <= 1
    }),
    { seed, numRuns }
  )
  if (details.failed) throw new Error(fc.defaultReportMessage(details))
  return worst
}

const dispose = async (mode: Mode): Promise<void> => {
  await targets.get(mode)?.dispose()
  targets.delete(mode)
}

/** The functions that the test calls. */
export interface Api {
  readonly run: typeof run
  readonly search: typeof search
  readonly dispose: typeof dispose
}

const api: Api = { run, search, dispose }

Object.assign(globalThis, { halforder: api })
