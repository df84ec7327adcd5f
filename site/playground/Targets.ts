/**
 * The targets of a worker, one for each means, opened when it is first chosen.
 */
import * as E from 'fp-ts/lib/Either.js'
import { gpuJs } from 'halforder/kernel/GpuJs'
import type { Target } from 'halforder/tensor/Target'
import * as Means from './Means.js'

/** A target, and what computes on it, for people. */
export interface Opened {
  readonly target: Target
  readonly by: string
}

const open = new Map<Means.Means, Opened>()

/** The target of a choice for some work. Left: the means is not there. */
export const targetOf = async (choice: Means.Choice, work: Means.Work): Promise<E.Either<string, Opened>> => {
  const host = await Means.hostOf(navigator)
  return E.map((means: Means.Means): Opened => {
    const found = open.get(means) ?? { target: gpuJs(Means.optionsOf(means, host)), by: Means.show(means, host) }
    open.set(means, found)
    return found
  })(Means.meansOf(choice, host, work))
}
