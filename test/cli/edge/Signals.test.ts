import { afterEach, describe, expect, it, vi } from 'vitest'
import { interruptible } from '../../../cli/edge/Signals.js'

afterEach(() => vi.restoreAllMocks())

const signals = ['SIGINT', 'SIGTERM'] as const

const listening = (): ReadonlyArray<number> => signals.map((signal) => process.listenerCount(signal))

/** Waits until work is told to stop. */
const stopped = (stop: AbortSignal): Promise<string> =>
  new Promise((resolve) => {
    stop.addEventListener('abort', () => resolve('stopped'))
  })

describe('work that can be interrupted', () => {
  it('gives its result, and leaves no listener', async () => {
    const before = listening()
    const seen: Array<ReadonlyArray<number>> = []
    const work = async (stop: AbortSignal): Promise<string> => {
      seen.push(listening())
      return `done, ${stop.aborted}`
    }
    expect(await interruptible(work)).toBe('done, false')
    expect(seen).toEqual([before.map((n) => n + 1)])
    expect(listening()).toEqual(before)
  })

  it.each(signals)('is told of %s once, and so is the person', async (signal) => {
    const before = listening()
    let told = 0
    const result = interruptible(stopped, () => {
      told += 1
    })
    process.emit(signal)
    expect([await result, told]).toEqual(['stopped', 1])
    expect(listening()).toEqual(before)
  })

  it.each([
    ['SIGINT', 'SIGINT'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM']
  ] as const)('ends the process with 130 on a second signal: %s, then %s', async (first, second) => {
    vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit with ${code}`)
    })
    let told = 0
    let finish = (): void => undefined
    const work = (): Promise<void> =>
      new Promise((resolve) => {
        finish = resolve
      })
    const result = interruptible(work, () => {
      told += 1
    })
    process.emit(first)
    expect(() => process.emit(second)).toThrow('exit with 130')
    expect(told).toBe(1)
    finish()
    await result
  })

  it('that ends with a signal under way gives its result', async () => {
    const result = interruptible(async (stop) => {
      process.emit('SIGINT')
      return stop.aborted
    })
    expect(await result).toBe(true)
  })

  it('leaves no listener where it fails', async () => {
    const before = listening()
    await expect(interruptible(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect(listening()).toEqual(before)
  })
})
