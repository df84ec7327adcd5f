/**
 * The worker of the page of faces. It keeps a fine-tune while it is paused.
 */
import * as E from 'fp-ts/lib/Either.js'
import { breath } from '../Breath.js'
import { targetOf } from '../Targets.js'
import type { Design } from './Design.js'
import type { Chosen } from './OwnModel.js'
import { pairs, taught, tuning, type Files, type Frame, type Pairs, type Tuning } from './Engine.js'

/**
 * What the page tells: to begin with a design and perhaps a model of its own, to go on, to pause, to save, or to make the pairs of faces
 * that choices are between.
 */
export type Ask =
  | {
      readonly kind: 'begin'
      readonly id: number
      readonly design: Design
      readonly own?: ReadonlyArray<Chosen>
      readonly steps: number
    }
  | { readonly kind: 'resume'; readonly id: number; readonly steps: number }
  | { readonly kind: 'pause'; readonly id: number }
  | { readonly kind: 'save'; readonly id: number }
  | { readonly kind: 'pairs'; readonly id: number; readonly design: Design; readonly own?: ReadonlyArray<Chosen> }

/** What the worker tells. */
export type Tell =
  | { readonly kind: 'frame'; readonly id: number; readonly frame: Frame }
  | { readonly kind: 'opened'; readonly id: number; readonly by: string }
  | { readonly kind: 'pairs'; readonly id: number; readonly pairs: Pairs }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'files'; readonly id: number; readonly files: ReadonlyArray<Chosen> }
  | { readonly kind: 'fault'; readonly id: number; readonly fault: string }

const urls = {
  model: new URL('../../../cli/assets/faces-mlp.safetensors', import.meta.url).href,
  classifier: new URL('../../../cli/assets/classifier.safetensors', import.meta.url).href,
  judge: new URL('../../../cli/assets/judge.safetensors', import.meta.url).href
}

let current = -1
let held: { readonly tuning: Tuning } | undefined

const tell = (message: Tell): void => postMessage(message)

const fetched = async (url: string): Promise<Uint8Array> => {
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url}: ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** The model of a visitor's files, by what reads them, which is loaded when there are some; else the one of the page. */
const modelOf = async (own: ReadonlyArray<Chosen> | undefined): Promise<E.Either<string, Files['model']>> => {
  if (own === undefined) return E.right(await fetched(urls.model))
  const { ownModel } = await import('./OwnModel.js')
  return ownModel(own)
}

const filesOf = async (own: ReadonlyArray<Chosen> | undefined): Promise<E.Either<string, Files>> => {
  const [model, classifier, judge] = await Promise.all([modelOf(own), fetched(urls.classifier), fetched(urls.judge)])
  return E.map((read: Files['model']): Files => ({ model: read, classifier, judge }))(model)
}

const go = async (id: number, { tuning: run }: { readonly tuning: Tuning }, steps: number): Promise<void> => {
  while (current === id) {
    const made = await run.step()
    if (E.isLeft(made)) return tell({ kind: 'fault', id, fault: made.left })
    const frame = await run.frame()
    if (E.isLeft(frame)) return tell({ kind: 'fault', id, fault: frame.left })
    tell({ kind: 'frame', id, frame: frame.right })
    if (made.right >= steps) return tell({ kind: 'done', id })
    await breath()
  }
}

const begin = async ({ id, design, own, steps }: Ask & { readonly kind: 'begin' }): Promise<void> => {
  const fault = (reason: string): void => tell({ kind: 'fault', id, fault: reason })
  const before = held
  held = undefined
  await before?.tuning.dispose()
  const opened = await targetOf(design.mode, 'large')
  if (E.isLeft(opened)) return fault(opened.left)
  const { target, by } = opened.right
  tell({ kind: 'opened', id, by })
  const read = await filesOf(own)
  if (E.isLeft(read)) return fault(read.left)
  const files = read.right
  const taste = await taught(design, files, target)
  if (E.isLeft(taste)) return fault(taste.left)
  const made = tuning(design, files, target, taste.right)
  if (E.isLeft(made)) return fault(made.left)
  held = { tuning: made.right }
  const frame = await made.right.frame()
  if (E.isLeft(frame)) return fault(frame.left)
  tell({ kind: 'frame', id, frame: frame.right })
  await go(id, held, steps)
}

const show = async ({ id, design, own }: Ask & { readonly kind: 'pairs' }): Promise<void> => {
  const opened = await targetOf(design.mode, 'large')
  const files = await filesOf(own)
  const fault = E.isLeft(opened) ? opened.left : E.isLeft(files) ? files.left : undefined
  const found =
    E.isLeft(opened) || E.isLeft(files) ? E.left(fault ?? '') : await pairs(design, files.right, opened.right.target)
  if (E.isLeft(found)) tell({ kind: 'fault', id, fault: found.left })
  else tell({ kind: 'pairs', id, pairs: found.right })
}

// one thing after another: a step that is being made is made to its end before another run begins
let last: Promise<void> = Promise.resolve()
const queue = (id: number, task: () => Promise<void>): void => {
  const before = last
  const run = async (): Promise<void> => {
    await before
    try {
      await task()
    } catch (error) {
      tell({ kind: 'fault', id, fault: String(error) })
    }
  }
  last = run()
}

addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  const { id } = data
  switch (data.kind) {
    case 'pause':
      current = id
      return
    case 'begin':
      current = id
      return queue(id, () => begin(data))
    case 'resume':
      current = id
      return queue(id, async () => {
        if (held !== undefined) await go(id, held, data.steps)
      })
    case 'pairs':
      return queue(id, () => show(data))
    case 'save': {
      const saved = held?.tuning.saved() ?? E.left('nothing was fine-tuned yet')
      tell(E.isLeft(saved) ? { kind: 'fault', id, fault: saved.left } : { kind: 'files', id, files: saved.right })
    }
  }
})
