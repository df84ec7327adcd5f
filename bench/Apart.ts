/**
 * Libraries that run in a process of their own, one a contender: PyTorch, and onnxruntime-node. They say themselves how long they
 * took, so that what travels between the processes is not counted.
 *
 * A question is a line of JSON, and behind it the numbers of its arrays in f32; an answer is a line, too, and `bytes` behind it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Contender, Native, Told } from './Work.js'

// modules are in dist/bench, scripts stay where they are
const script = (name: string): string => fileURLToPath(new URL(`../../bench/scripts/${name}`, import.meta.url))

/** Which Python has PyTorch. */
const python = process.env['HALFORDER_PYTHON'] ?? '/usr/bin/python3'

const libraries = {
  torch: {
    command: [python, script('works.py')],
    probe: [python, '-c', 'import torch, numpy'],
    remedy: `apt-get install python3-torch libopenblas0-pthread, or name a Python that has it in HALFORDER_PYTHON (now ${python})`
  },
  onnxruntime: {
    command: [process.execPath, script('works.mjs')],
    probe: [process.execPath, script('works.mjs'), '--probe'],
    remedy: 'npm install --no-save --ignore-scripts onnxruntime-node (290 MB, which is why it is no dependency)'
  }
} as const satisfies Readonly<Record<Native, object>>

/** Each library has one thread: what it multiplies matrices by has threads of its own, which the library does not tell how many to be. */
const alone = {
  ...process.env,
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  BLIS_NUM_THREADS: '1'
}

/** What is there of a library: its version, what it runs on and its threads, or how to get it. */
export type Presence =
  | { readonly _tag: 'Present'; readonly what: string }
  | { readonly _tag: 'Absent'; readonly remedy: string }

// -------------------------------------------------------------------------------------
// processes
// -------------------------------------------------------------------------------------

const Line = t.intersection([
  t.type({ bytes: t.number }),
  t.partial({ ms: t.number, cpu: t.number, what: t.string, fault: t.string })
])

interface Answer {
  readonly line: t.TypeOf<typeof Line>
  readonly data: Float32Array
}

/** A process, and a question at a time. */
interface Talk {
  readonly what: string
  readonly ask: (question: object, arrays?: ReadonlyArray<Float32Array>) => Promise<Answer>
  readonly end: () => Promise<void>
}

const started = async (library: Native): Promise<Talk> => {
  const [file, ...rest] = libraries[library].command
  const child = spawn(file, rest, { stdio: ['pipe', 'pipe', 'inherit'], env: alone })
  const read = reader(library, child)
  const { line } = await read()
  return {
    what: line.what ?? '',
    ask: async (question, arrays = []) => {
      child.stdin.write(`${JSON.stringify(question)}\n`)
      for (const { buffer, byteOffset, byteLength } of arrays) {
        child.stdin.write(new Uint8Array(buffer, byteOffset, byteLength))
      }
      const answer = await read()
      if (answer.line.fault !== undefined) throw new Error(`${library}: ${answer.line.fault}`)
      return answer
    },
    end: async () => {
      const gone = once(child, 'exit')
      child.stdin.end()
      await gone
    }
  }
}

const reader = (library: Native, child: ChildProcess): (() => Promise<Answer>) => {
  let pending = Buffer.alloc(0)
  let ended = false
  let wake = (): void => undefined
  child.stdout?.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    wake()
  })
  child.once('exit', () => {
    ended = true
    wake()
  })
  /** The bytes up to an end that may not be known yet. */
  const upTo = async (end: () => number | undefined): Promise<Buffer> => {
    for (;;) {
      const at = end()
      if (at !== undefined && pending.length >= at) {
        const part = Buffer.from(pending.subarray(0, at))
        pending = pending.subarray(at)
        return part
      }
      if (ended) throw new Error(`the process of ${library} ended`)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return async () => {
    const text = await upTo(() => {
      const at = pending.indexOf('\n')
      return at < 0 ? undefined : at + 1
    })
    const line = Line.decode(JSON.parse(text.toString('utf8')))
    if (E.isLeft(line)) throw new Error(`${library} answered ${text.toString('utf8')}`)
    const bytes = await upTo(() => line.right.bytes)
    return { line: line.right, data: new Float32Array(new Uint8Array(bytes).buffer) }
  }
}

// -------------------------------------------------------------------------------------
// contenders
// -------------------------------------------------------------------------------------

/** A library on a work of its script. */
export const apart =
  (library: Native, { make, settings, values }: Told) =>
  async (): Promise<Contender> => {
    const talk = await started(library)
    const arrays = Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, shape]))
    await talk.ask(
      { make, settings, arrays },
      Object.values(values).map(({ data }) => Float32Array.from(data))
    )
    let spent = { ms: Number.NaN, cpu: Number.NaN }
    return {
      run: async () => {
        const { line, data } = await talk.ask({ run: true })
        spent = { ms: line.ms ?? Number.NaN, cpu: line.cpu ?? Number.NaN }
        return data
      },
      spent: () => spent,
      dispose: talk.end
    }
  }

/** Is a library there, and which? */
export const presence = async (library: Native): Promise<Presence> => {
  const { probe, remedy } = libraries[library]
  const [file, ...rest] = probe
  if (spawnSync(file, rest, { stdio: 'ignore' }).status !== 0) return { _tag: 'Absent', remedy }
  const talk = await started(library)
  await talk.end()
  return { _tag: 'Present', what: talk.what }
}
