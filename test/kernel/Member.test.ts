import * as E from 'fp-ts/lib/Either.js'
import { MessageChannel } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { another as anotherMember, here } from '../../src/kernel/threads/Member.js'
import type { Message, WorkerHandle } from '../../src/kernel/threads/WorkerHandle.js'

/** A worker of which a test says when it answers and when it dies. */
interface Puppet {
  readonly handle: WorkerHandle
  readonly told: Array<Message & { readonly id?: number }>
  readonly answer: (error?: string) => void
  readonly die: (reason: string) => void
  readonly state: { held: number; stopped: boolean }
}

const puppet = (): Puppet => {
  const told: Puppet['told'] = []
  const state = { held: 0, stopped: false }
  let onMessage: (id: number, error: string | undefined) => void = () => undefined
  let onDeath: (reason: string) => void = () => undefined
  return {
    told,
    state,
    answer: (error) => onMessage(told.findLast(({ id }) => id !== undefined)?.id ?? -1, error),
    die: (reason) => onDeath(reason),
    handle: {
      post: (message) => void told.push(message),
      onMessage: (listener) => {
        onMessage = listener
      },
      onDeath: (listener) => {
        onDeath = listener
      },
      hold: (by) => {
        state.held += by
      },
      stop: async () => {
        state.stopped = true
      }
    }
  }
}

const loading = (image: number): Message => ({
  image,
  memory: new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }),
  steps: [],
  modules: []
})

/** Lets what waits for nothing else happen. */
const settled = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 0))

const images = ({ told }: Puppet): ReadonlyArray<string> =>
  told.map(({ image, modules, run }) => `${modules ? 'load' : run ? 'run' : 'drop'} ${image}`)

const another = (start: Parameters<typeof anotherMember>[0], patience = Infinity): ReturnType<typeof anotherMember> =>
  anotherMember(start, patience)

describe('a worker', () => {
  test('that does not answer in time is stopped, and the next run has another', async () => {
    const [one, two] = [puppet(), puppet()]
    const waiting = [one, two]
    const member = another(() => Promise.resolve((waiting.shift() ?? two).handle), 20)
    member.send(loading(7))
    const runs = await Promise.all([member.run(7), member.run(7)])
    const ended = E.left({ _tag: 'Ended', reason: 'it did not answer within 20 ms' })
    expect(runs).toEqual([ended, ended])
    await settled()
    expect(one.state.stopped).toBe(true)
    // what it says now is not heard
    one.answer()
    const second = member.run(7)
    await settled()
    two.answer()
    expect(await second).toEqual(E.right(undefined))
    expect([images(two), two.state]).toEqual([['load 7', 'run 7'], { held: 0, stopped: false }])
  })

  test('that answered while this thread was busy for longer is heard', async () => {
    const one = puppet()
    const member = another(() => Promise.resolve(one.handle), 20)
    member.send(loading(7))
    const run = member.run(7)
    await settled()
    setTimeout(() => {
      // the timer is due when this ends, and so is the answer
      const { port1, port2 } = new MessageChannel()
      port1.on('message', () => {
        one.answer()
        port1.close()
      })
      port2.postMessage(0)
      const until = process.hrtime.bigint() + 40_000_000n
      while (process.hrtime.bigint() < until);
    })
    expect(await run).toEqual(E.right(undefined))
    expect(one.state).toEqual({ held: 0, stopped: false })
  })

  test('is started by the first run, and told of the images before it', async () => {
    const one = puppet()
    let starts = 0
    const member = another(() => {
      starts++
      return Promise.resolve(one.handle)
    })
    member.send(loading(1))
    member.send(loading(2))
    member.send({ image: 1 })
    await settled()
    expect(starts).toBe(0)
    const run = member.run(2)
    await settled()
    expect(images(one)).toEqual(['load 2', 'run 2'])
    expect(one.state.held).toBe(1)
    one.answer()
    expect(await run).toEqual(E.right(undefined))
    expect(one.state.held).toBe(0)
  })

  test('that died between two runs is replaced by one that knows its images', async () => {
    const [one, two] = [puppet(), puppet()]
    const waiting = [one, two]
    const member = another(() => Promise.resolve((waiting.shift() ?? two).handle))
    member.send(loading(7))
    const first = member.run(7)
    await settled()
    one.answer()
    expect(await first).toEqual(E.right(undefined))
    one.die('it ended with code 1')
    const second = member.run(7)
    await settled()
    expect(images(two)).toEqual(['load 7', 'run 7'])
    two.answer()
    expect(await second).toEqual(E.right(undefined))
  })

  test('that dies while it runs ends that run, and the next one runs on another', async () => {
    const [one, two] = [puppet(), puppet()]
    const waiting = [one, two]
    const member = another(() => Promise.resolve((waiting.shift() ?? two).handle))
    member.send(loading(0))
    const runs = [member.run(0), member.run(0)]
    await settled()
    one.die('it ended with code 134')
    // `error` and `exit` both come
    one.die('again')
    const ended = E.left({ _tag: 'Ended', reason: 'it ended with code 134' })
    expect(await Promise.all(runs)).toEqual([ended, ended])
    const next = member.run(0)
    await settled()
    two.answer()
    expect(await next).toEqual(E.right(undefined))
  })

  test('that can not be started is asked for again by the next run', async () => {
    const one = puppet()
    let starts = 0
    const member = another(() => (starts++ === 0 ? Promise.reject(new Error('denied')) : Promise.resolve(one.handle)))
    member.send(loading(0))
    expect(await member.run(0)).toEqual(E.left({ _tag: 'NotStarted', reason: 'denied' }))
    const second = member.run(0)
    await settled()
    one.answer()
    expect(await second).toEqual(E.right(undefined))
  })

  test('that throws says what', async () => {
    const one = puppet()
    const member = another(() => Promise.resolve(one.handle))
    member.send(loading(0))
    const run = member.run(0)
    await settled()
    one.answer('RuntimeError: unreachable')
    expect(await run).toEqual(E.left({ _tag: 'Threw', reason: 'RuntimeError: unreachable' }))
  })

  test('that takes no message says why', async () => {
    const one = puppet()
    const post = (message: Message): void => {
      if (message.run) throw new Error('could not be cloned')
    }
    const member = another(() => Promise.resolve({ ...one.handle, post }))
    expect(await member.run(0)).toEqual(E.left({ _tag: 'Threw', reason: 'could not be cloned' }))
    expect(one.state.held).toBe(0)
  })

  test('that is stopped ends what waits for it, and runs no more', async () => {
    const one = puppet()
    const member = another(() => Promise.resolve(one.handle))
    member.send(loading(0))
    const run = member.run(0)
    await settled()
    await member.stop()
    expect(await run).toEqual(E.left({ _tag: 'Stopped' }))
    expect(await member.run(0)).toEqual(E.left({ _tag: 'Stopped' }))
    expect(one.state.stopped).toBe(true)
  })

  test('is stopped when it never was started, could not be started, or is dead', async () => {
    await another(() => Promise.reject(new Error('denied'))).stop()
    const denied = another(() => Promise.reject(new Error('denied')))
    const run = denied.run(0)
    await denied.stop()
    expect(await run).toEqual(E.left({ _tag: 'Stopped' }))
    const one = puppet()
    const dead = another(() => Promise.resolve(one.handle))
    const last = dead.run(0)
    await settled()
    one.die('it ended with code 1')
    await last
    await dead.stop()
    expect(one.state.stopped).toBe(false)
  })
})

test('this thread says what throws, and runs no more when it is stopped', async () => {
  const member = here()
  member.send({ ...loading(0), steps: [{ module: 0, at: 2 ** 20, bits: [1] }] })
  expect(await member.run(0)).toEqual(E.left({ _tag: 'Threw', reason: 'offset is out of bounds' }))
  await member.stop()
  expect(await member.run(0)).toEqual(E.left({ _tag: 'Stopped' }))
})
