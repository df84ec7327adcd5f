/**
 * Shaders that differ in whole numbers only: one text for all of them, which reads its numbers when it runs. Layers of a network are
 * often of a kind, and a text is compiled once.
 *
 * @since 0.1.0
 */
import type { Shader } from './KernelWgsl.js'

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

const literal = /\b(\d+)u\b/

/** What is between the numbers of a text, and the numbers. */
interface Taken {
  readonly between: ReadonlyArray<string>
  readonly numbers: ReadonlyArray<string>
}

const taken = (text: string): Taken => {
  // a group of the expression puts what it found between the parts
  const parts = text.split(literal)
  return { between: parts.filter((_, i) => i % 2 === 0), numbers: parts.filter((_, i) => i % 2 === 1) }
}

const members = ['x', 'y', 'z', 'w'] as const

const first = 'fn main('

/** A text that reads some numbers, from those that are known and names of the others. */
const reading = ({ between }: Taken, numbers: ReadonlyArray<string>, count: number): string => {
  const text = between.map((part, i) => `${part}${numbers[i] ?? ''}`).join('')
  const names = Array.from(
    { length: count },
    (_, i) => `let n${i} = numbers[${Math.floor(i / 4)}].${members[i % 4] ?? 'x'};`
  )
  return text
    .split('\n')
    .flatMap((line) =>
      line.startsWith('@compute')
        ? [`@group(1) @binding(0) var<uniform> numbers : array<vec4u, ${Math.ceil(count / 4)}>;`, line]
        : line.startsWith(first)
          ? [line, ...names]
          : [line]
    )
    .join('\n')
}

/**
 * The same shaders, those that differ in whole numbers only with one text. What is read of the numbers is the same in all threads, so
 * that loops and conditions of them stay uniform.
 *
 * @category combinators
 * @since 0.1.0
 */
export const alike = (shaders: ReadonlyArray<Shader>): ReadonlyArray<Shader> => {
  const all = shaders.map((shader) => {
    const parts = taken(shader.text)
    return { shader, ...parts, key: parts.between.join('#') }
  })
  const kinds = new Map<string, Array<(typeof all)[number]>>()
  for (const one of all) {
    const kind = kinds.get(one.key)
    if (kind === undefined) kinds.set(one.key, [one])
    else kind.push(one)
  }
  return all.map((one) => {
    const kind = kinds.get(one.key) ?? []
    // numbers that go together in all of a kind are one
    const slots = new Map<string, number>()
    const own: Array<number> = []
    const numbers = one.numbers.map((value, i) => {
      const across = kind.map((other) => other.numbers[i] ?? '')
      if (across.every((other) => other === value)) return `${value}u`
      const key = across.join()
      const slot = slots.get(key) ?? slots.size
      slots.set(key, slot)
      own[slot] = Number(value)
      return `n${slot}`
    })
    return own.length === 0 ? one.shader : { ...one.shader, numbers: own, text: reading(one, numbers, own.length) }
  })
}
