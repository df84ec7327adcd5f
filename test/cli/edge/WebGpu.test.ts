import * as E from 'fp-ts/lib/Either.js'
import { afterEach, describe, expect, it } from 'vitest'
import { webGpu } from '../../../cli/edge/WebGpu.js'

const own = Object.getOwnPropertyDescriptor(globalThis, 'navigator')
afterEach(() => {
  Reflect.deleteProperty(globalThis, 'navigator')
  if (own !== undefined) Object.defineProperty(globalThis, 'navigator', own)
  if (typeof navigator === 'object') Reflect.deleteProperty(navigator, 'gpu')
})

const never = (): Promise<unknown> => Promise.reject(new Error('it was loaded'))

const gpu = { requestAdapter: () => Promise.resolve({}) }

const said = async (load: () => Promise<unknown>): Promise<unknown> => {
  const result = await webGpu('webgpu', load)()
  return E.isLeft(result) ? [result.left.kind, result.left.message] : 'right'
}

const found = (): unknown => (typeof navigator === 'object' ? Reflect.get(navigator, 'gpu') : undefined)

describe('WebGPU in Node', () => {
  it('comes from the package before the first kernel, once', async () => {
    expect(await said(() => Promise.resolve({ create: () => gpu }))).toBe('right')
    expect(found()).toBe(gpu)
    expect(await said(never)).toBe('right')
  })

  it('is not asked for by other modes', async () => {
    expect(E.isRight(await webGpu('webasm', never)())).toBe(true)
    expect(found()).toBeUndefined()
  })

  it('says what to install where the package is not there', async () => {
    const absent = Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })
    expect(await said(() => Promise.reject(absent))).toEqual([
      'usage',
      "mode webgpu: Node has no WebGPU, and the package 'webgpu' is not installed; npm install webgpu, " +
        "or use the mode 'webasm', which runs anywhere"
    ])
  })

  it.each<readonly [string, unknown, string]>([
    ['no create', {}, 'has no create() that gives a GPU'],
    ['a create that gives no GPU', { create: () => ({}) }, 'has no create() that gives a GPU'],
    ['no driver', { create: () => ({ requestAdapter: () => Promise.resolve(null) }) }, 'install a driver of your GPU'],
    [
      'a driver that fails',
      { create: () => ({ requestAdapter: () => Promise.reject(new Error('no Vulkan')) }) },
      'does not load: no Vulkan; npm install webgpu@latest'
    ]
  ])('says so of %s, and sets nothing', async (_, loaded, message) => {
    expect(await said(() => Promise.resolve(loaded))).toEqual(['usage', expect.stringContaining(message)])
    expect(found()).toBeUndefined()
  })
})
