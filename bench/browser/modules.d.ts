/** What the page's own installation brings is not there for the type checker of the library: imported for its effect alone. */
declare module '@tensorflow/tfjs-backend-webgpu'
