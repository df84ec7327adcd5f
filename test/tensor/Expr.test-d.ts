import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as I from '../../src/tensor/Indexing.js'

// These statements are checked by the compiler and never run: each `@ts-expect-error` is a program that must not compile.

declare const x: Expr<readonly ['batch', 3]>
declare const w: Expr<readonly [3, 4]>
declare const v: Expr<readonly [5, 4]>
declare const bias: Expr<readonly [4]>
declare const column: Expr<readonly ['batch', 1]>

const equal = <A>(value: A & ([A] extends [never] ? never : unknown)): A => value

// shapes come out as they should
equal<Expr<readonly ['batch', 4]>>(X.matmul(x, w))
equal<Expr<readonly ['batch', 4]>>(X.add(X.matmul(x, w), bias))
equal<Expr<readonly ['batch', 3]>>(X.mul(x, column))
equal<Expr<readonly ['batch', 4]>>(X.einsum('bi,io->bo', x, w))
equal<Expr<readonly [4, 3]>>(X.transpose(w))
equal<Expr<readonly [4, 3]>>(X.permute(w, [1, 0]))
equal<Expr<readonly [3]>>(X.sum(x, [0]))
equal<Expr<readonly ['batch', 2]>>(X.slice(x, 1, 0, 2))
equal<Expr<readonly [4]>>(X.take(w, 0, X.scalar(1)))
equal<Expr<readonly ['batch', 3]>>(X.scale(x, 2))
equal<Expr<readonly ['batch', 2, 2]>>(X.window(x, 1, 2, 2))
equal<Expr<readonly [7, 4]>>(I.gather(w, 0, X.input('at', [7])))
equal<Expr<readonly [3, 9]>>(I.shift(w, 1, 2, 9))

// @ts-expect-error the windows have two entries
equal<Expr<readonly ['batch', 2, 3]>>(X.window(x, 1, 2, 2))
// @ts-expect-error the inner sizes are 3 and 5
X.matmul(x, v)
// @ts-expect-error 'batch' x 3 and 4 do not broadcast
X.add(x, bias)
// @ts-expect-error the label i is 3 and 5
X.einsum('bi,io->bo', x, v)
// @ts-expect-error two labels for three axes
X.einsum('bi,ioz->bo', x, w)
// @ts-expect-error a [3, 4] matrix is not a [4, 3] one
equal<Expr<readonly [4, 3]>>(w)
// @ts-expect-error the branches of a select have the shape of its condition
X.select(x, w, w)
