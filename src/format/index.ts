/**
 * Files as values: bytes in, tensors or a left that says what is wrong out.
 *
 * @since 0.1.0
 */
export * as Foreign from './Foreign.js'
export * as Half from './Half.js'
export * as Layout from './Layout.js'
export * as Limits from './Limits.js'
export * as Npy from './Npy.js'
export * as Npz from './Npz.js'
export * as Safetensors from './Safetensors.js'
export * as SafetensorsError from './SafetensorsError.js'
export * as Onnx from './Onnx.js'
export * as Sharded from './Sharded.js'
export * as Torch from './Torch.js'
export * as Zip from './Zip.js'
