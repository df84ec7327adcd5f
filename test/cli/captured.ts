import { vi } from 'vitest'

/** What a command said, and how it ended. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command with its streams caught. */
export const captured = async (command: () => Promise<number>): Promise<Ran> => {
  const seen = { out: '', err: '' }
  const into =
    (stream: keyof typeof seen) =>
    (text: string | Uint8Array): boolean => {
      seen[stream] += typeof text === 'string' ? text : new TextDecoder().decode(text)
      return true
    }
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(into('out'))
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(into('err'))
  try {
    const code = await command()
    return { code, ...seen }
  } finally {
    out.mockRestore()
    err.mockRestore()
  }
}

/** Sends a signal to this process as soon as someone listens to it, without which it would end the tests. */
export const interrupt = (signal: NodeJS.Signals = 'SIGINT'): void => {
  const onListener = (name: string | symbol): void => {
    if (name !== signal) return
    process.off('newListener', onListener)
    setTimeout(() => process.emit(signal))
  }
  process.on('newListener', onListener)
}
