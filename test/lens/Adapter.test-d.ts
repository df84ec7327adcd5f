import { freeze, hold, lora, type Adapted, type Adapter, type Frozen } from '../../src/lens/Adapter.js'
import { dense, type Dense } from '../../src/lens/layer/Dense.js'
import type { Rows } from '../../src/lens/Rows.js'

// These statements are checked by the compiler and never run: each `@ts-expect-error` is a program that must not compile.

declare const p: Dense<3, 2>
declare const x: Rows<3>
declare const adapter: Adapter

const lens = dense(3, 2)
const adapted = lora({ rank: 1 })(() => true)(lens)

// what is held may be used where any parameters are asked for
lens.run(hold(p), x)
adapted.run({ frozen: hold(p), adapter }, x)
freeze(lens).run({ frozen: hold(p) }, x)

// @ts-expect-error parameters that are trained are not held
adapted.run({ frozen: p, adapter }, x)
// @ts-expect-error parameters that are trained are not held
freeze(lens).run({ frozen: p }, x)
// @ts-expect-error an adapter has no weights of its own
adapted.run({ frozen: hold(p), adapter: p }, x)
// @ts-expect-error the adapted lens is not in the parameters of the lens
adapted.run(p, x)

declare const bar: Rows<2>
const [parameters] = adapted.run({ frozen: hold(p), adapter }, x)[1](bar)
const trained: Adapter = parameters.adapter
const held: Frozen<Dense<3, 2>> = parameters.frozen
const both: Adapted<Dense<3, 2>> = { frozen: held, adapter: trained }
void both
// @ts-expect-error nothing of the adapter is held
const wrong: Frozen<Adapter> = parameters.adapter
void wrong
