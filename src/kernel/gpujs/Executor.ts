/**
 * Who runs a pipeline of gpu.js.
 *
 * gpu.js records the calls of a pipeline, queues its runs, and asks its method `_prepareExecutor` for what runs them, before the first
 * one and after a failure. That of `webasm` gives each pipeline a memory of its own. The method is not part of gpu.js's public
 * interface: the dependency is pinned to one version, and a test fails when the method or what it leaves changes; where it is not
 * found, gpu.js runs the pipeline as it does.
 *
 * @since 0.1.0
 */
import type { IPipelineRunShortcut } from 'gpu.js'

/**
 * Lets a pipeline be run by a function from its arguments to its results. True where that was possible.
 *
 * @category combinators
 * @since 0.1.0
 */
export const executedBy = (
  pipeline: IPipelineRunShortcut,
  execute: (given: ReadonlyArray<Float32Array>) => ReadonlyArray<Float32Array>
): boolean => {
  const inner: unknown = Reflect.get(pipeline, 'pipeline')
  if (typeof inner !== 'object' || inner === null) return false
  if (typeof Reflect.get(inner, '_prepareExecutor') !== 'function') return false
  const executor = { execute, destroy: (): void => undefined }
  return Reflect.set(inner, '_prepareExecutor', () => {
    Reflect.set(inner, '_executor', executor)
    Reflect.set(inner, 'executorKind', 'fused-sync')
  })
}
