/**
 * What runs in the page of the benchmark: works by the libraries that are in a browser, on one adapter, in turn.
 */
import { defaultDevice, init } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-webgpu'
import { credits } from '../Credit.js'
import { elementwise } from '../Elementwise.js'
import { gradients } from '../Gradient.js'
import { matmul } from '../Matmul.js'
import { rollout } from '../Rollout.js'
import { unet } from '../Unet.js'
import type { Api, Who } from '../Page.js'
import { distance, type Contender, type Work } from '../Work.js'
import { models } from './models.js'
import { onnx } from './Onnx.js'

const works: ReadonlyArray<Work> = [
  ...[256, 512, 1024].map(matmul),
  elementwise,
  rollout,
  unet,
  ...credits.filter(({ name }) => name === 'credit-full' || name === 'credit-h2'),
  ...gradients.filter(({ name }) => name === 'gradient-default')
]

const makers = (work: Work): Readonly<Partial<Record<Who, () => Promise<Contender>>>> => {
  const { ours, tfjs, jaxjs } = work.contenders
  const model = models[work.name]
  return {
    ...(ours === undefined ? {} : { webasm: () => ours(1, 'webasm'), webgpu: () => ours(1, 'webgpu') }),
    ...(tfjs === undefined ? {} : { tfjs: () => tfjs(1) }),
    ...(jaxjs === undefined ? {} : { jaxjs: () => jaxjs(1) }),
    ...(model === undefined ? {} : { onnx: () => onnx(model()) })
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

const open = new Map<Who, Contender>()
let answer: ArrayLike<number> | undefined

/** Who does a work. */
const parties = async (name: string): Promise<ReadonlyArray<Who>> => {
  await (begun ??= begin())
  for (const one of open.values()) await one.dispose()
  open.clear()
  answer = undefined
  return Object.keys(makers(workOf(name))) as ReadonlyArray<Who>
}

const workOf = (name: string): Work => {
  const work = works.find((one) => one.name === name)
  if (work === undefined) throw new Error(`there is no work '${name}'`)
  return work
}

/** Makes one way to do a work and runs it: milliseconds, and how far the answer is from the first one's. */
const first = async (name: string, who: Who): Promise<readonly [elapsed: number, differs: number]> => {
  const make = makers(workOf(name))[who]
  if (make === undefined) throw new Error(`nobody is '${who}'`)
  const began = performance.now()
  const one = await make()
  const result = await one.run()
  const elapsed = performance.now() - began
  open.set(who, one)
  answer ??= result
  return [elapsed, distance(answer, result)]
}

/** Runs one again. */
const again = async (who: Who): Promise<number> => {
  const began = performance.now()
  await open.get(who)?.run()
  return performance.now() - began
}

/** The adapter as it presents itself. */
const adapter = async (): Promise<string> => {
  const found = await navigator.gpu.requestAdapter()
  const { vendor, architecture, description } = found?.info ?? { vendor: '', architecture: '', description: '' }
  return [vendor, architecture, description].filter((part) => part !== '').join(' ')
}

const api: Api = { names: works.map(({ name }) => name), parties, first, again, adapter }

Object.assign(globalThis, { bench: api })
