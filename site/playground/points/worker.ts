/**
 * The worker of the page of points: it trains, then fine-tunes, and tells what samples look like on the way.
 */
import * as E from 'fp-ts/lib/Either.js'
import { breath } from '../Breath.js'
import { type DescribedModel, loadModel, showError } from 'halforder/network/Model'
import type { Target } from 'halforder/tensor/Target'
import { targetOf } from '../Targets.js'
import { type Design, usualPretraining } from './Design.js'
import * as Engine from './Engine.js'

/** What the page tells. */
export type Ask =
  | { readonly id: number; readonly kind: 'pretrain' | 'finetune'; readonly design: Design }
  | { readonly id: number; readonly kind: 'stop' }

/** What the worker tells: samples of a lane, the base model being -1; that something is done; by what it computes; or what is wrong. */
export type Tell =
  | {
      readonly id: number
      readonly kind: 'frame'
      readonly lane: number
      readonly step: number
      readonly frame: Engine.Frame
    }
  | { readonly id: number; readonly kind: 'trained' }
  | { readonly id: number; readonly kind: 'opened'; readonly by: string }
  | { readonly id: number; readonly kind: 'fault'; readonly lane: number; readonly fault: string }

/** Milliseconds between two pictures of the same lane. */
const pace = 250

let current = -1
let base: { readonly key: string; readonly model: DescribedModel } | undefined

const tell = (message: Tell): void => postMessage(message)

const show = async (
  id: number,
  lane: number,
  step: number,
  taken: Promise<E.Either<string, Engine.Frame>>
): Promise<void> => {
  const frame = await taken
  if (E.isLeft(frame)) tell({ id, kind: 'fault', lane, fault: frame.left })
  else tell({ id, kind: 'frame', lane, step, frame: frame.right })
}

const keyOf = ({ data, stroke, pretraining, seed }: Design): string => JSON.stringify([data, stroke, pretraining, seed])

const ready = async (id: number, design: Design, model: DescribedModel, target: Target): Promise<void> => {
  base = { key: keyOf(design), model }
  await show(id, -1, design.pretraining, Engine.baseFrame(design, model, target))
  tell({ id, kind: 'trained' })
}

const weights: Readonly<Record<string, string>> = {
  'eight-gaussians': new URL('../../../cli/assets/eight-gaussians.safetensors', import.meta.url).href,
  moons: new URL('../../../cli/assets/moons.safetensors', import.meta.url).href,
  checkerboard: new URL('../../../cli/assets/checkerboard.safetensors', import.meta.url).href
}

/** The weights that come with the page, where the design asks for them. */
const shipped = async ({ data, pretraining }: Design): Promise<E.Either<string, DescribedModel> | undefined> => {
  const url = weights[data]
  if (url === undefined || pretraining > 0) return undefined
  const response = await fetch(url)
  if (!response.ok) return E.left(`${url}: ${response.status} ${response.statusText}`)
  return E.mapLeft(showError)(loadModel(new Uint8Array(await response.arrayBuffer())))
}

const pretrain = async (id: number, asked: Design, target: Target): Promise<void> => {
  if (base?.key === keyOf(asked)) return ready(id, asked, base.model, target)
  const found = await shipped(asked)
  if (found !== undefined) {
    return E.isLeft(found)
      ? tell({ id, kind: 'fault', lane: -1, fault: found.left })
      : ready(id, asked, found.right, target)
  }
  const design = asked.pretraining > 0 ? asked : { ...asked, pretraining: usualPretraining }
  const made = Engine.training(design, target)
  if (E.isLeft(made)) return tell({ id, kind: 'fault', lane: -1, fault: made.left })
  const training = made.right
  try {
    let last = 0
    while (current === id) {
      const state = await training.step()
      if (state === undefined) break
      if (E.isLeft(state)) return tell({ id, kind: 'fault', lane: -1, fault: state.left })
      if (performance.now() - last > pace) {
        await show(id, -1, state.right.step, training.frame())
        last = performance.now()
        await breath()
      }
    }
    if (current !== id) return
    const model = training.finished()
    if (E.isLeft(model)) return tell({ id, kind: 'fault', lane: -1, fault: model.left })
    await ready(id, asked, model.right, target)
  } finally {
    await training.dispose()
  }
}

const finetune = async (id: number, design: Design, target: Target): Promise<void> => {
  if (base?.key !== keyOf(design)) await pretrain(id, design, target)
  if (base === undefined || current !== id) return
  const lanes: Array<Engine.Tuning | undefined> = []
  try {
    for (const [i, lane] of design.lanes.entries()) {
      const made = Engine.tuning(design, lane, base.model, target)
      if (E.isLeft(made)) tell({ id, kind: 'fault', lane: i, fault: made.left })
      lanes.push(E.isLeft(made) ? undefined : made.right)
      if (E.isRight(made)) await show(id, i, 0, made.right.frame())
      await breath()
    }
    const last = lanes.map(() => 0)
    while (current === id && lanes.some((lane) => lane !== undefined)) {
      for (const [i, lane] of lanes.entries()) {
        if (lane === undefined || current !== id) continue
        const state = await lane.step()
        if (E.isLeft(state)) {
          tell({ id, kind: 'fault', lane: i, fault: state.left })
          lanes[i] = undefined
          await lane.dispose()
        } else if (performance.now() - (last[i] ?? 0) > pace) {
          await show(id, i, state.right.step, lane.frame())
          last[i] = performance.now()
        }
        await breath()
      }
    }
  } finally {
    for (const lane of lanes) await lane?.dispose()
  }
}

const begin = async (id: number, kind: 'pretrain' | 'finetune', design: Design): Promise<void> => {
  const opened = await targetOf(design.mode, 'small')
  if (current !== id) return
  if (E.isLeft(opened)) return tell({ id, kind: 'fault', lane: -1, fault: opened.left })
  const { target, by } = opened.right
  tell({ id, kind: 'opened', by })
  await (kind === 'pretrain' ? pretrain : finetune)(id, design, target)
}

addEventListener('message', ({ data }: MessageEvent<Ask>) => {
  current = data.id
  if (data.kind === 'stop') return
  const { id, kind, design } = data
  begin(id, kind, design).catch((error: unknown) => tell({ id, kind: 'fault', lane: -1, fault: String(error) }))
})
