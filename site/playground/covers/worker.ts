/**
 * The worker of the page of covers: told a design it samples, and tells how far it is, until it is told another one or to stop.
 */
import * as E from 'fp-ts/lib/Either.js'
import { breath } from '../Breath.js'
import type { Design } from './Design.js'
import { targetOf } from '../Targets.js'
import { engine, type Engine, type Result } from './Engine.js'

/** What the page tells. */
export type Ask =
  | { readonly id: number; readonly design: Design }
  | { readonly id: number; readonly design?: undefined }

/** What the worker tells: how far samples are, by what they are computed, or what is wrong. */
export interface Tell {
  readonly id: number
  readonly gradient: ReadonlyArray<number>
  readonly results: ReadonlyArray<Result>
  readonly by: string
  readonly fault: string | undefined
}

/** Milliseconds between two tellings. */
const pace = 100

/** After so many samples nothing more is seen. */
const enough = 2 ** 24

let current = -1

const tell = (message: Tell): void => postMessage(message)

const sample = async (id: number, made: Engine, lines: number, by: string): Promise<void> => {
  let told = 0
  try {
    while (current === id) {
      await made.step()
      await breath()
      if (performance.now() - told < pace) continue
      told = performance.now()
      const results = made.read()
      tell({ id, gradient: made.gradient, results, by, fault: undefined })
      const done = results.every(({ moments, fault }) => fault !== undefined || (moments?.n ?? 0) >= enough)
      if (done && results.length === lines) break
    }
  } finally {
    await made.dispose()
  }
}

const begin = async (id: number, design: Design): Promise<void> => {
  const fault = (reason: string): void => tell({ id, gradient: [], results: [], by: '', fault: reason })
  const opened = await targetOf(design.mode, 'small')
  if (current !== id) return
  if (E.isLeft(opened)) return fault(opened.left)
  const { target, by } = opened.right
  const made = engine(design, target)
  if (E.isLeft(made)) return fault(made.left)
  await sample(id, made.right, new Set([design.estimator, ...design.others]).size, by)
}

addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  current = data.id
  if (data.design === undefined) return
  const { id, design } = data
  begin(id, design).catch((error: unknown) => tell({ id, gradient: [], results: [], by: '', fault: String(error) }))
})
