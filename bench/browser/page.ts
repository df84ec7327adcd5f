/**
 * What runs in the page of the benchmark: works by the libraries that are in a browser, on one adapter, in turn.
 */
import { defaultDevice, init } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { credits } from '../Credit.js'
import { elementwise } from '../Elementwise.js'
import { matmul } from '../Matmul.js'
import { rollout } from '../Rollout.js'
import { unet } from '../Unet.js'
import { distance, type Contender, type Work } from '../Work.js'

const works: ReadonlyArray<Work> = [
  ...[256, 512, 1024].map(matmul),
  elementwise,
  rollout,
  unet,
  ...credits.filter(({ name }) => name === 'credit-full' || name === 'credit-h2')
]

/** Who runs in the page: ours on two modes, and the others on WebGPU. */
export type Who = 'webgpu' | 'webasm' | 'tfjs' | 'jaxjs' | 'onnx'

/** Milliseconds: of the first run, with what it compiles, and of the others. `differs`: from our webasm, of the largest value. */
export interface Timed {
  readonly who: Who
  readonly first: number
  readonly times: ReadonlyArray<number>
  readonly differs: number
}

const makers = (work: Work): Readonly<Partial<Record<Who, () => Promise<Contender>>>> => {
  const { ours, tfjs, jaxjs } = work.contenders
  return {
    ...(ours === undefined ? {} : { webasm: () => ours(1, 'webasm'), webgpu: () => ours(1, 'webgpu') }),
    ...(tfjs === undefined ? {} : { tfjs: () => tfjs(1) }),
    ...(jaxjs === undefined ? {} : { jaxjs: () => jaxjs(1) })
  }
}

let begun: Promise<void> | undefined

/** Opens the adapter by each library once, so that no first run pays for it. */
const begin = async (): Promise<void> => {
  await tf.setBackend('webgpu')
  await tf.ready()
  await init('webgpu')
  defaultDevice('webgpu')
  const small = makers(matmul(16))
  for (const make of Object.values(small)) {
    const one = await make()
    await one.run()
    await one.dispose()
  }
}

/** Times a work: the first run of each, then `rounds` in which each runs once in turn. */
const time = async (name: string, rounds: number, only: ReadonlyArray<Who> = []): Promise<ReadonlyArray<Timed>> => {
  await (begun ??= begin())
  const work = works.find((one) => one.name === name)
  if (work === undefined) throw new Error(`there is no work '${name}'`)
  const made: Array<{ who: Who; one: Contender; first: number; times: Array<number>; differs: number }> = []
  let answer: ArrayLike<number> | undefined
  for (const [key, make] of Object.entries(makers(work))) {
    const who = key as Who
    if (only.length > 0 && !only.includes(who)) continue
    const began = performance.now()
    const one = await make()
    const result = await one.run()
    const first = performance.now() - began
    answer ??= result
    made.push({ who, one, first, times: [], differs: distance(answer, result) })
  }
  for (let round = 0; round < rounds; round++) {
    for (const { one, times } of made) {
      const began = performance.now()
      await one.run()
      times.push(performance.now() - began)
    }
  }
  for (const { one } of made) await one.dispose()
  return made.map(({ who, first, times, differs }) => ({ who, first, times, differs }))
}

/** The adapter as it presents itself. */
const adapter = async (): Promise<string> => {
  const found = await navigator.gpu.requestAdapter()
  const { vendor, architecture, description } = found?.info ?? { vendor: '', architecture: '', description: '' }
  return [vendor, architecture, description].filter((part) => part !== '').join(' ')
}

/** The functions that the driver calls. */
export interface Api {
  readonly names: ReadonlyArray<string>
  readonly time: typeof time
  readonly adapter: typeof adapter
}

const api: Api = { names: works.map(({ name }) => name), time, adapter }

Object.assign(globalThis, { bench: api })
