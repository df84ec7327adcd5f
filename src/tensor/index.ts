/**
 * The typed tensor language: shapes, expressions, programs, and their meaning in f64. It does not know where programs
 * run.
 *
 * @since 0.1.0
 */
export * as Build from './Build.js'
export * as Expr from './Expr.js'
export * as Finite from './Finite.js'
export * as Indexing from './Indexing.js'
export * as Need from './Need.js'
export * as Op from './Op.js'
export * as Program from './Program.js'
export * as Reference from './Reference.js'
export * as RowBlocks from './rows/RowBlocks.js'
export * as RowKinds from './rows/RowKinds.js'
export * as Shape from './Shape.js'
export * as Strides from './Strides.js'
export * as Target from './Target.js'
export * as Tensor from './Tensor.js'
export * as Tree from './Tree.js'
