// the example
import { Philox } from 'halforder/random'

Philox.block([0, 0], [0, 0, 0, 0]) // [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
// until here
export const made: unknown = Philox.block([0, 0], [0, 0, 0, 0])
