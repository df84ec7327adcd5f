import type { Values } from '../../src/tensor/Program.js'

/** A number that tells apart outputs that differ in a bit: FNV-1a over names and f32 data. */
export const digest = (values: Values): number => {
  let hash = 0x811c9dc5
  const add = (byte: number): void => {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  for (const name of Object.keys(values).sort()) {
    for (const character of name) add(character.charCodeAt(0))
    new Uint8Array(Float32Array.from(values[name]?.data ?? []).buffer).forEach(add)
  }
  return hash
}
